// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is wrong, worst first: with the evidence, what to do, how sure it is, and where to see it.
 */
import { h } from "./dom.js";
import { everything, goTo, showOnly } from "./filter.js";
import { cell } from "./format.js";
import { matching } from "./lives.js";
import { model, section } from "./model.js";
import { tableOf } from "./table.js";

/* Where the picture of a finding is: connections of that trouble, and a section. */
const places = {
	"close-wait-leak": ["leak", "close_wait"],
	"fin-wait-2-peer-stall": ["stall", "fin_wait_2"],
	"fin-wait-1-stall": ["slow", "slow"],
	"time-wait-port-exhaustion": [null, "ports"],
	"time-wait-table-full": ["overflow", "time_wait"],
	"time-wait-reset": ["cut_short", "time_wait"],
	"time-wait-behind-nat": ["cut_short", "nat"],
	"short-connections": [null, "flows"],
	"server-closes-first": [null, "closers"],
	"simultaneous-close": ["closing", "closing"],
	"last-ack-stall": ["slow", "slow"],
	"syn-stall": ["slow", "slow"],
	"half-open-flood": ["half_open", "half_open"],
	"bind-in-use": [null, "binds"],
	"events-lost": ["gap", "completeness"],
};

const words = { critical: "Critical", warning: "Warning", info: "Info" };

/* A moment to the second; all of it when pointed at. */
const short = (text) => text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d+Z$/, "$1 $2 UTC");

export const factList = (facts) =>
	facts.length > 0 && h("dl", { class: "facts" }, facts.map(([, label, value]) =>
		h("div", {}, h("dt", {}, label),
			h("dd", { title: short(cell(value)) !== cell(value) ? cell(value) : null },
				short(cell(value))))));

const links = (finding) => {
	const [trouble, key] = places[finding.id] ?? [null, null];

	return h("p", { class: "links" },
		trouble && matching({ ...everything, trouble }).length > 0 && h("button", { type: "button", onclick: () => {
			showOnly({ trouble });
			goTo("connections");
		} }, "Show its connections"),
		key && section(key) && h("a", { href: `#section-${key}` }, "See the numbers"));
};

const card = (finding) =>
	h("article", { class: `finding ${finding.severity}`, "data-id": finding.id },
		h("p", { class: "kind" },
			h("span", { class: "badge" }, words[finding.severity] ?? finding.severity),
			h("code", {}, finding.id)),
		h("h3", {}, finding.title),
		finding.meaning && h("p", {}, h("b", {}, "It means "), finding.meaning),
		finding.advice && h("p", { class: "advice" }, h("b", {}, "Try "), finding.advice),
		finding.confidence && h("p", { class: "sure" }, h("b", {}, "How sure "),
			finding.confidence),
		factList(finding.evidence),
		finding.offenders && tableOf({ ...finding.offenders, title: "" }),
		links(finding));

export const tally = () => {
	const of = (severity) => model.findings.filter((f) => f.severity === severity).length;
	const parts = Object.keys(words).map((s) => [s, of(s)]).filter(([, n]) => n);

	return parts.map(([s, n]) => `${n} ${s}${s === "warning" && n > 1 ? "s" : ""}`).join(", ");
};

export const findings = () => [
	h("h2", {}, "Findings"),
	!model.findings.length && h("p", {}, "Nothing wrong was seen."),
	model.findings.map(card),
];
