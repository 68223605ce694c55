// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same list as a table, a page at a time.
 */
import { clock } from "./clock.js";
import { h } from "./dom.js";
import { count, duration } from "./format.js";
import * as lives from "./lives.js";

const PAGE = 50;
const columns = ["Process", "Local", "Remote", "Began", "Path (time in state)", "End", "Notable"];

const row = (i) =>
	h("tr", {}, [
		lives.process(i), lives.local(i), lives.remote(i),
		lives.isSinceBefore(i) ? "before finwait" :
			clock(lives.start(i)) ?? duration(lives.start(i) * 1000),
		lives.steps(i).map((s) => s.join(" ")).join(" > "),
		lives.endWords(i), lives.troublesOf(i).join(", "),
	].map((text) => h("td", { class: text.length > 34 && "long" }, text)));

const heading = (item) =>
	h("tr", {}, h("th", { colspan: columns.length, scope: "rowgroup" },
		`${item.name} (${count(item.count)})`));

export const pages = (items) => {
	const body = h("tbody");
	const where = h("span", { role: "status" });
	let first = 0;
	const go = (to) => {
		first = Math.max(0, Math.min(to, Math.max(0, items.length - 1)));
		first -= first % PAGE;
		const some = items.slice(first, first + PAGE);

		body.replaceChildren(...some.map((i) => (typeof i === "number" ? row(i) : heading(i))));
		where.textContent = items.length ?
			` ${count(first + 1)} to ${count(first + some.length)} of ${count(items.length)} ` : " none ";
	};

	go(0);
	return h("div", { class: "table" },
		h("p", { class: "links" },
			h("button", { type: "button", onclick: () => go(first - PAGE) }, "Back"), where,
			h("button", { type: "button", onclick: () => go(first + PAGE) }, "Next")),
		h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Connections as a table" },
			h("table", {}, h("thead", {}, h("tr", {}, columns.map((c) =>
				h("th", { scope: "col" }, c)))), body)));
};
