// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page of finwait report -f html: builds itself from the report that is in it.
 */
import { startsAt } from "./clock.js";
import { diagram } from "./diagram.js";
import { drawAll, forgetDrawers, h, visible } from "./dom.js";
import { forgetFilterListeners } from "./filter.js";
import { findings, factList, tally } from "./findings.js";
import { liveLine, startLive } from "./live.js";
import { model, section } from "./model.js";
import { overTime } from "./overtime.js";
import { sections, shownSections, tablesOf } from "./sections.js";
import { forgetThemeListeners, startTheme, themeButton } from "./theme.js";
import { timelines } from "./timelines.js";

const link = (id, title) => h("li", {}, h("a", { href: `#${id}` }, title));

const contents = () =>
	h("nav", { "aria-label": "Contents" }, h("ul", {},
		link("findings", "Findings"), link("diagram", "State diagram"),
		link("connections", "Connections"), link("over-time", "Over time"),
		shownSections().map((s) => link(`section-${s.key}`, s.title))));

const about = (key) => model.about.find((f) => f[0] === key)?.[2]?.[1];

/* Which report it is, among several in tabs and tickets. */
const name = () => (about("host") ? `finwait report of ${visible(about("host"))}` : "finwait report");

const header = () =>
	h("header", {},
		h("div", { class: "title" }, h("h1", {}, name()),
			h("span", { class: "tally" }, tally() || "nothing wrong was seen"), themeButton()),
		liveLine(), factList(model.about));

const picture = (id, title, ...children) =>
	h("section", { id }, h("h2", {}, title), children);

const body = () => [
	!model.complete && h("p", { class: "incomplete", role: "alert" },
		"Not complete: finwait had not enough memory for this report."),
	h("section", { id: "findings" }, findings()),
	picture("diagram", "State diagram", diagram(),
		tablesOf(section("transitions"), "Transitions as numbers")),
	picture("connections", "Connections", timelines()),
	picture("over-time", "States over time", overTime(),
		tablesOf(section("over_time"), "Steps as numbers")),
	sections(),
];

const build = () => {
	forgetDrawers();
	forgetFilterListeners();
	forgetThemeListeners();
	document.title = [name(), startsAt()].filter(Boolean).join(", ");
	document.getElementById("app").replaceChildren(header(), contents(),
		h("main", {}, body().flat(9).filter(Boolean)));
	drawAll();
};

startTheme();
document.getElementById("version").textContent = ` ${model.version}`;
build();
startLive(build);
