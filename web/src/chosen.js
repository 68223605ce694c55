// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of the connection that was chosen in the list.
 */
import { h } from "./dom.js";
import { setFilter } from "./filter.js";
import * as lives from "./lives.js";

const way = (i) =>
	h("ol", { class: "way" }, lives.steps(i).map(([state, text]) => {
		const swatch = h("span", { class: "swatch" });

		swatch.style.background = `var(--${state})`;
		return h("li", {}, swatch, h("b", {}, state), ` ${text}`);
	}), h("li", {}, lives.endWords(i)));

const only = (text, value) =>
	h("button", { type: "button", onclick: () => setFilter({ text: value }) }, text);

/* @item: the number of a connection, or the heading of a group. @zoomTo: called with the former. */
export const chosenOne = (item, zoomTo) => {
	if (typeof item !== "number")
		return [];
	return [
		h("h3", {}, `${lives.process(item)}: ${lives.local(item)} to ${lives.remote(item)}`),
		way(item),
		lives.hasGap(item) && h("p", { class: "remark" },
			"Events were lost during its life: a step may be missing."),
		h("dl", { class: "facts" }, lives.facts(item).map(([label, value]) =>
			h("div", {}, h("dt", {}, label), h("dd", {}, value)))),
		h("p", { class: "links" },
			h("button", { type: "button", onclick: () => zoomTo(item) }, "Zoom to its life"),
			only("Only this process", lives.process(item)),
			only("Only this remote end", lives.remote(item))),
	].filter(Boolean);
};
