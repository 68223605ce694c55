// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sections of the report: facts, pictures, tables, notes. A section that this page knows nothing
 * about shows all the same.
 */
import { durationBars } from "./bars.js";
import { block, h } from "./dom.js";
import { factList } from "./findings.js";
import { model } from "./model.js";
import { picturesOf } from "./pictures.js";
import { tableOf } from "./table.js";

/* Shown elsewhere: as pictures, with their tables. */
const drawn = new Set(["transitions", "over_time", "time_wait_bars"]);

const opened = new Set(); /* by title: also when the page is built anew */

/* Built when it is opened: hundreds of rows that few will ask for. */
const folded = (title, build) => {
	const details = h("details", { open: opened.has(title) }, h("summary", {}, title));

	details.addEventListener("toggle", () => {
		opened[details.open ? "add" : "delete"](title);
		if (details.open && details.childElementCount === 1)
			details.append(...build());
	});
	return details;
};

export const tablesOf = (s, title) =>
	s && s.tables.length > 0 &&
	folded(title, () => s.tables.map((t) => tableOf(t, { place: s.key })));

const one = (s) =>
	h("section", { id: `section-${s.key}`, "data-section": s.key },
		h("h2", {}, s.title),
		!s.facts.length && !s.tables.length && !s.bars.length && !s.notes.length &&
			h("p", { class: "remark" }, "(nothing was seen)"),
		factList(s.facts),
		picturesOf[s.key]?.(),
		s.key !== "time_wait" && s.bars.map((b) => block(b.title, durationBars(b))),
		s.tables.map((t) => tableOf(t, { place: s.key })),
		s.key === "time_wait" && s.bars.length > 0 && folded("The same as numbers", () =>
			s.bars.map((b) => block(b.title, durationBars(b)))),
		s.notes.length > 0 && h("ul", { class: "notes" }, s.notes.map((n) => h("li", {}, n))));

export const shownSections = () => model.sections.filter((s) => !drawn.has(s.key));

export const sections = () => shownSections().map(one);
