// SPDX-License-Identifier: GPL-2.0-only
/*
 * Above the list of connections: search, what is wrong, grouping, order, zoom; and what is shown of how
 * many.
 */
import { h } from "./dom.js";
import { everything, filter, onFilter, setFilter, showOnly } from "./filter.js";
import { count, plural } from "./format.js";
import { groupings, orders } from "./listing.js";
import * as lives from "./lives.js";

const choice = (label, options, value, onChange) => {
	const select = h("select", { onchange: () => onChange(select.value) },
		options.map(([name, text]) => h("option", { value: name, selected: name === value }, text)));

	return { select, element: h("label", {}, h("span", {}, label), select) };
};

const button = (text, label, onclick) =>
	h("button", { type: "button", "aria-label": label, title: label, onclick }, text);

const search = () => {
	const input = h("input", { type: "search", placeholder: "process, address, port, control group",
		value: filter.text || null, oninput: () => setFilter({ text: input.value }) });

	onFilter((f) => {
		if (input.value !== f.text)
			input.value = f.text;
	});
	return h("label", { class: "wide" }, h("span", {}, "Search"), input);
};

const troubleChoice = () => {
	const present = lives.troubles.filter(([name]) =>
		lives.matching({ ...everything, trouble: name }).length);
	const c = choice("Only", [["", "all connections"], ...present],
		filter.trouble ?? "", (value) => setFilter({ trouble: value || null }));

	onFilter((f) => {
		c.select.value = f.trouble ?? "";
	});
	return c.element;
};

/* What a click on the diagram has chosen; a click on it gives it up. */
const chips = () => {
	const list = h("div", { class: "chips" });
	const chip = (text, change) => h("button", { type: "button", class: "chip",
		"aria-label": `Do not filter by ${text}`, onclick: () => setFilter(change) }, text, " ×");
	const draw = (f) => list.replaceChildren(...[
		f.edge && chip(f.edge.label, { edge: null }),
		f.state && chip(`was in ${f.state}`, { state: null }),
		f.who && chip(f.who.label, { who: null }),
		(f.edge || f.state || f.trouble || f.who || f.text) && h("button", { type: "button", class: "chip",
			onclick: () => showOnly({}) }, "Show all"),
	].filter(Boolean));

	onFilter(draw);
	draw(filter);
	return list;
};

/* What is not here, and why. */
const sample = () => {
	const kept = lives.matching(everything)
		.filter((i) => lives.troublesOf(i).length).length;

	if (lives.total >= lives.seen)
		return "";
	if (kept < lives.inTrouble)
		return `Of ${plural(lives.seen, "connection")} these are the ${count(lives.total)} worst ` +
			"(--connections). ";
	return `Of ${plural(lives.seen, "connection")} these are the ${count(kept)} with which something ` +
		`is wrong, and an even sample of ${count(lives.total - kept)} others (--connections). `;
};

/* @kept: what was chosen before the page was built anew. */
export const controls = (list, kept) => {
	const status = h("p", { class: "remark", role: "status" });
	const what = sample();
	const tableButton = h("button", { type: "button", "aria-pressed": String(kept.table), onclick: () => {
		const on = tableButton.getAttribute("aria-pressed") === "false";

		tableButton.setAttribute("aria-pressed", on);
		list.showTable(on);
	} }, "Table");

	return {
		element: h("div", { class: "controls" },
			h("div", { class: "fields" }, search(), troubleChoice(),
				choice("Group", Object.entries(groupings).map(([k, v]) => [k, v[0]]),
					kept.grouping, (grouping) => list.set({ grouping })).element,
				choice("Order", Object.entries(orders).map(([k, v]) => [k, v[0]]),
					kept.order, (order) => list.set({ order })).element,
				h("div", { class: "buttons" },
					button("+", "Zoom in", () => list.zoomBy(1.6)),
					button("−", "Zoom out", () => list.zoomBy(1 / 1.6)),
					button("All", "All of the time", () => list.zoomOut()),
					tableButton)),
			chips(), status),
		hint: [
			h("p", { class: "remark" }, "Hatched: it began before finwait. Arrow: still open. Cross: " +
				"ended by a reset, a timeout or the like. Red hatching: events were lost there."),
			h("p", { class: "remark on-screen" }, "Ctrl and wheel, or + and −, zoom; drag to move; " +
				"arrow keys choose a connection, Enter or a double click zooms to its life."),
		],
		say: (found) => {
			status.textContent = `${what}${found === lives.total ? "All" : count(found)} ` +
				`${found === lives.total ? `${count(found)} are` : `of ${count(lives.total)} are`} listed.`;
		},
	};
};
