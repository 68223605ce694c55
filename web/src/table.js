// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of the report: sorted by a click on a heading, searched by typing.
 */
import { h } from "./dom.js";
import { cell, count, isNumber, plural } from "./format.js";

const SEARCHABLE = 8; /* rows; fewer are seen at a glance */

const compare = (a, b) => {
	if (!a || !b)
		return (a ? 0 : 1) - (b ? 0 : 1); /* unknown comes last, either way */
	if (typeof a[1] === "string")
		return a[1].localeCompare(b[1], "en", { numeric: true });
	return a[1] - b[1];
};

const sorted = (rows, column, direction) =>
	[...rows].sort((a, b) => {
		const known = (a[column] ? 1 : 0) + (b[column] ? 1 : 0);

		return compare(a[column], b[column]) * (known === 2 ? direction : 1);
	});

const LONG = 34; /* characters that may take several lines */

const classOf = (c, isNumeric) => {
	if (isNumeric)
		return "number";
	return c && cell(c).length > LONG ? "long" : null;
};

const bodyRow = (row, numeric, action) =>
	h("tr", {}, row.map((c, i) => h("td", { class: classOf(c, numeric[i]) }, cell(c))),
		action && h("td", { class: "action" }, action(row)));

const matches = (row, words) => {
	const text = row.map(cell).join(" ").toLowerCase();

	return words.every((word) => text.includes(word));
};

const headings = (t, numeric, onSort) =>
	t.columns.map(([, label], i) =>
		h("th", { scope: "col", class: numeric[i] && "number" },
			h("button", { type: "button", onclick: () => onSort(i) }, label)));

const state = (th, column, direction) =>
	th.forEach((element, i) => {
		if (i === column)
			element.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
		else
			element.removeAttribute("aria-sort");
	});

const remark = (t, shown) => {
	const more = t.more ? `${count(t.more)} more are not in this report (--top)` : "";

	if (shown === t.rows.length)
		return more;
	return `${plural(shown, "row")} of ${count(t.rows.length)}${more && `; ${more}`}`;
};

const asked = new Map(); /* what was typed and sorted by, also when the page is built anew */

/*
 * @place: section or finding, for tables in several have the same key. @action: makes an element that
 * ends a row, or null.
 */
export const tableOf = (t, { place, action }) => {
	const mine = `${place} ${t.key} ${t.title}`;
	const numeric = t.columns.map((_, i) => t.rows.some((row) => isNumber(row[i])));
	const body = h("tbody");
	const note = h("p", { class: "remark", role: "status" });
	let { column, direction, text } = asked.get(mine) ?? { column: -1, direction: 1, text: "" };

	const draw = () => {
		const words = text.toLowerCase().split(/\s+/).filter(Boolean);
		const found = t.rows.filter((row) => matches(row, words));
		const shown = column < 0 ? found : sorted(found, column, direction);

		body.replaceChildren(...shown.map((row) => bodyRow(row, numeric, action)));
		note.textContent = remark(t, shown.length);
		note.hidden = !note.textContent;
		state(th, column, direction);
		asked.set(mine, { column, direction, text });
	};
	const th = headings(t, numeric, (i) => {
		direction = column === i ? -direction : numeric[i] ? -1 : 1;
		column = i;
		draw();
	});
	const search = t.rows.length > SEARCHABLE && h("input", {
		type: "search", placeholder: "Search", class: "search",
		"aria-label": `Search in ${t.title || "this table"}`, value: text || null,
		oninput: (event) => {
			text = event.target.value;
			draw();
		},
	});

	draw();
	return h("div", { class: "table" },
		h("div", { class: "table-head" }, t.title && h("h3", {}, t.title), search),
		t.rows.length ?
			h("div", { class: "scroll", tabindex: 0, role: "region",
				   "aria-label": t.title || "Table" },
				h("table", {}, h("thead", {}, h("tr", {}, th,
					action && h("td", {}))), body)) :
			h("p", { class: "remark" }, "(none)"),
		note);
};
