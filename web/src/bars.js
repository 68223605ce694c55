// SPDX-License-Identifier: GPL-2.0-only
/*
 * Horizontal bars, one row each, of one part or several. They are HTML: they wrap, print, and can be
 * read aloud.
 *
 *	stacked({ parts: [{ label: "open", color: "close_wait" }],
 *		  rows: [{ label: "curl/7", values: [12], text: "12" }] })
 */
import { h } from "./dom.js";
import { count, duration } from "./format.js";

const part = (value, max, of) => {
	const element = h("span", { class: "bar-part", title: `${of.label}: ${count(value)}` });

	element.style.width = `${(100 * value) / max}%`;
	element.style.background = `var(--${of.color})`;
	return element;
};

const said = (row, parts) =>
	parts.map((p, i) => row.values[i] && `${p.label} ${count(row.values[i])}`).filter(Boolean)
		.join(", ") || "none";

const bar = (row, parts, max) =>
	h("div", { class: "bar-row" },
		h("div", { class: "bar-label" }, row.label),
		h("div", { class: "bar-track", role: "img",
			   "aria-label": `${row.label}: ${row.said ?? said(row, parts)}` },
			row.values.map((value, i) => value > 0 && part(value, max, parts[i])),
			row.mark),
		h("div", { class: "bar-text" }, row.text));

export const legend = (parts) =>
	h("ul", { class: "legend" }, parts.map((p) => {
		const swatch = h("span", { class: "swatch" });

		swatch.style.background = `var(--${p.color})`;
		return h("li", {}, swatch, p.label);
	}));

export const stacked = ({ parts, rows, max }) => {
	const sums = rows.map((row) => row.values.reduce((a, b) => a + b, 0));
	const most = max ?? Math.max(1, ...sums);

	return h("div", { class: "bars" },
		(parts.length > 1 || parts[0]?.color !== "accent") && legend(parts),
		rows.map((row) => bar(row, parts, most)));
};

export const range = (from, to) => {
	if (to === null || to === undefined)
		return `${duration(from)} or more`;
	return from ? `${duration(from)} to ${duration(to)}` : `below ${duration(to)}`;
};

/* The bars of a section: [from_ns, to_ns, count]. */
export const durationBars = (b) =>
	b.bars.length ?
		stacked({
			parts: [{ label: b.title, color: "accent" }],
			rows: b.bars.map(([from, to, n]) => (
				{ label: range(from, to), values: [n], text: count(n), said: count(n) })),
		}) :
		h("p", { class: "remark" }, "(none)");
