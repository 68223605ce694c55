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

/* A moment to the second; all of it when pointed at. */
const short = (text) => text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d+Z$/, "$1 $2 UTC");

export const factList = (facts) =>
	facts.length > 0 && h("dl", { class: "facts" }, facts.map(([, label, value]) =>
		h("div", {}, h("dt", {}, label),
			h("dd", { title: short(cell(value)) !== cell(value) ? cell(value) : null },
				short(cell(value))))));

/*
 * Whom a row of offenders names. A server's row names its listener, which need not be who accepts: there
 * the port alone tells.
 */
const whoOf = ({ columns }, row) => {
	const value = (key) => row[columns.findIndex((c) => c[0] === key)]?.[1];
	const lport = value("port") ?? value("listen_port");
	const process = value("port") ? undefined : value("process");
	const remote = value("remote") ?? value("peer");
	const label = [process, remote, lport && `port ${lport}`].filter(Boolean).join(", ");

	return label ? { process, remote, lport, label } : null;
};

const showButton = (text, change) =>
	matching({ ...everything, ...change }).length > 0 &&
	h("button", { type: "button", onclick: () => {
		showOnly(change);
		goTo("connections");
	} }, text);

/* Of one offender: its connections. Of several: a button for each, and one for all. */
const links = ({ shows, section: key, offenders }) => {
	const one = offenders?.rows.length === 1 ? whoOf(offenders, offenders.rows[0]) : null;
	const change = one ? { ...shows, who: one } : shows;

	return h("p", { class: "links" },
		shows && Object.keys(change).length > 0 && showButton("Show its connections", change),
		key && section(key) && h("a", { href: `#section-${key}` }, "See the numbers"));
};

const offendersOf = ({ id, shows, offenders }) => {
	const show = (row) => {
		const who = whoOf(offenders, row);

		return who && showButton("Show", { ...shows, who });
	};

	if (!offenders?.rows.length)
		return null;
	return tableOf({ ...offenders, title: "" },
		{ place: id, action: shows && offenders.rows.length > 1 ? show : null });
};

const severityOf = ({ severity }) =>
	model.lists.severities.find(([name]) => name === severity)?.[1] ?? severity;

const card = (finding) =>
	h("article", { class: `finding ${finding.severity}`, "data-id": finding.id },
		h("p", { class: "kind" },
			h("span", { class: "badge" }, severityOf(finding)),
			h("code", {}, finding.id)),
		h("h3", {}, finding.title),
		finding.meaning && h("p", {}, h("b", {}, "It means "), finding.meaning),
		finding.advice && h("p", { class: "advice" }, h("b", {}, "Try "), finding.advice),
		finding.confidence && h("p", { class: "sure" }, h("b", {}, "How sure "),
			finding.confidence),
		finding.also.map((title) => h("p", { class: "also" }, h("b", {}, "Also "), title)),
		factList(finding.evidence),
		offendersOf(finding),
		links(finding));

export const tally = () => {
	const of = (severity) => model.findings.filter((f) => f.severity === severity).length;
	const parts = model.lists.severities.map(([name, , plural]) => [of(name), name, plural]);

	return parts.filter(([n]) => n).map(([n, one, more]) => `${n} ${n > 1 ? more : one}`).join(", ");
};

export const findings = () => [
	h("h2", {}, "Findings"),
	!model.findings.length && h("p", {}, "Nothing wrong was seen."),
	model.findings.map(card),
];
