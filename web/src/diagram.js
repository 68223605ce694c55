// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state diagram of RFC 9293 with the numbers of this host: an edge is as thick as it was taken
 * often, and lists its connections when clicked. Ends that the RFC's figure does not have (resets,
 * timeouts, a full table) are short red arrows out of their state.
 */
import { h, onWidth, svg } from "./dom.js";
import { everything, filter, goTo, onFilter, showOnly } from "./filter.js";
import { count, duration, plural } from "./format.js";
import { boxOf, edges, exit, route, sizeFor, small } from "./layout.js";
import { matching, total } from "./lives.js";
import { derive, model, rows, STATES, table } from "./model.js";

let words, brief, regular; /* of ends: in words, in few; those that the RFC's figure has */
let taken, states;         /* all transitions; rows of the table of states by name */
let drawn, exits, others; /* edges: of the figure; ends that it has not; what else it has not */
let restarts, most;       /* of TIME_WAIT; the largest count */

const known = new Set(edges.map((e) => `${e.from}>${e.to}`));

const sum = (list) => list.reduce((n, t) => n + t.count, 0);

/* An edge of the figure, with counts. Listeners are not connections: nothing lists them. */
const counted = (edge) => {
	const listener = edge.from === "LISTEN" && edge.to === "CLOSE" || edge.to === "LISTEN";
	const ends = edge.to === "CLOSE" && !listener ? regular : undefined;
	const parts = taken.filter((t) => t.from === edge.from && t.to === edge.to &&
		(!ends || ends.includes(t.end)));

	return { ...edge, ends, count: sum(parts), parts, listener };
};

/* All other ends of a state. */
const exitOf = (from) => {
	const drawn = edges.some((e) => e.from === from && e.to === "CLOSE");
	const parts = taken.filter((t) => t.from === from && t.to === "CLOSE" &&
		!(drawn && regular.includes(t.end)));

	return { from, to: "CLOSE", ends: parts.map((p) => p.end), count: sum(parts), parts,
		 what: "not in RFC 9293's figure" };
};

const strange = (t) => ({
	...t, parts: [t], what: "not in RFC 9293's figure",
	a: [t.from === "CLOSE" ? "BEGIN" : t.from, "b", 0.6], b: [t.to, "t", 0.6] });

derive(() => {
	words = Object.fromEntries(model.lists.ends.map(([name, text]) => [name, text]));
	brief = Object.fromEntries(model.lists.ends.map(([name, , few]) => [name, few]));
	regular = model.lists.ends.filter((end) => end[3]).map(([name]) => name);
	taken = rows(table("transitions", "edges"));
	states = Object.fromEntries(rows(table("states", "states")).map((s) => [s.state, s]));
	drawn = edges.map(counted);
	exits = STATES.map(exitOf).filter((e) => e.count);
	others = taken.filter((t) => t.to !== "CLOSE" && t.from !== t.to &&
		!known.has(`${t.from}>${t.to}`)).map(strange);
	restarts = taken.find((t) => t.from === "TIME_WAIT" && t.to === "TIME_WAIT");
	most = Math.max(1, ...drawn.map((e) => e.count), ...exits.map((e) => e.count));
});

const thickness = (n) => (n ? 1.5 + 7 * Math.sqrt(n / most) : 1.2);

const nice = (state) => (state === "CLOSE" ? "CLOSED" : state);
const nameOf = (edge) => `${nice(edge.from)} to ${nice(edge.to)}`;
const same = (a, b) => Boolean(a && b) && a.from === b.from && a.to === b.to &&
	String(a.ends ?? "") === String(b.ends ?? "");

const asFilter = (edge) => (
	{ from: edge.from, to: edge.to, ends: edge.to === "CLOSE" ? edge.ends : null,
	  label: `${nice(edge.from)} > ${nice(edge.to)}${edge.to === "CLOSE" && !edge.a ?
		  `: ${edge.ends.map((e) => words[e] ?? e).join(", ")}` : ""}` });

const choose = (change) => {
	if (!total)
		return;
	showOnly(change);
	goTo("connections");
};

/* ---- Beside it: what the pointer or the focus is on ---------------------------------------- */

const listed = (change) => {
	const n = total ? matching({ ...everything, ...change }).length : 0;

	return total > 0 && h("p", { class: "remark" },
		n ? `A click lists ${plural(n, "connection")}.` : "None of the connections below took it.");
};

const aboutEdge = (edge) => [
	h("h3", {}, nameOf(edge)),
	h("p", {}, edge.what),
	h("p", { class: "big" }, plural(edge.count, "time")),
	edge.to === "CLOSE" && !edge.listener && h("ul", { class: "plain" }, edge.parts.map((p) =>
		h("li", {}, `${words[p.end] ?? p.end}: ${count(p.count)}`))),
	edge.count > 0 && !edge.listener && listed({ edge: asFilter(edge) }),
];

const stay = (s, key, label) =>
	s[key] !== undefined && h("div", {}, h("dt", {}, label), h("dd", {}, duration(s[key])));

const aboutState = (name) => {
	const s = states[name] ?? {};

	return [
		h("h3", {}, name),
		h("dl", { class: "facts column" },
			h("div", {}, h("dt", {}, "Now"), h("dd", {}, count(s.now ?? 0))),
			h("div", {}, h("dt", {}, "Entered"), h("dd", {}, count(s.entered ?? 0))),
			stay(s, "p50", "Half stayed up to"),
			stay(s, "p99", "99 % up to"),
			stay(s, "max", "Longest"),
			stay(s, "oldest", "Oldest now")),
		STATES.includes(name) && listed({ state: name }),
	];
};

const key = (className, text) =>
	h("li", {}, svg("svg", { width: 34, height: 12, "aria-hidden": "true" },
		svg("path", { d: "M1,6H33", class: className, "stroke-width": 2.5 })), text);

const explanation = () => [
	h("h3", {}, "What the arrows say"),
	h("ul", { class: "legend column" },
		key("edge", "taken: the thicker, the more often"),
		key("edge rare", "in Linux, but not in RFC 9293's figure: how else connections ended"),
		key("edge never", "not taken while finwait watched"),
		key("edge rfc", "in RFC 9293's figure, but not in Linux")),
	h("p", { class: "remark" }, "On an arrow: what came or was called / what was sent for it. In " +
		"a state: how many are in it now, and the median of how long they stayed. Click an " +
		"arrow or a state to list its connections."),
];

/* ---- The drawing ------------------------------------------------------------------------- */

const head = (tip, size, className) => {
	const back = { x: tip.x + tip.dx * size, y: tip.y + tip.dy * size };
	const side = { x: tip.dy * size * 0.45, y: tip.dx * size * 0.45 };

	return svg("path", { class: `head ${className}`,
		d: `M${tip.x},${tip.y}L${back.x + side.x},${back.y + side.y}` +
			`L${back.x - side.x},${back.y - side.y}Z` });
};

const group = (className, label, panel, about, onChoose, children) => {
	const show = () => panel.replaceChildren(...[about()].flat(9).filter(Boolean));
	const hide = () => panel.replaceChildren(...explanation());

	return svg("g", {
		class: className, tabindex: onChoose ? 0 : null, role: onChoose ? "button" : null,
		"aria-label": onChoose && label,
		onpointerenter: show, onfocus: show, onpointerleave: hide, onblur: hide,
		onclick: onChoose,
		onkeydown: onChoose && ((event) => {
			if (event.key !== "Enter" && event.key !== " ")
				return;
			event.preventDefault();
			onChoose();
		}),
	}, children);
};

const classOf = (edge, isExit) => {
	if (edge.rfc)
		return "rfc";
	if (!edge.count)
		return "never";
	return isExit ? "rare" : "";
};

const LINE = 16;

/* How else connections ended, most first: what there is room for beside an exit. */
const reasons = (edge) => {
	const most = [...edge.parts].sort((a, b) => b.count - a.count);
	const lines = most.slice(0, most.length > 3 ? 2 : 3).map((p) =>
		(most.length > 1 ? `${count(p.count)} ` : "") + (brief[p.end] ?? p.end));

	return most.length > 3 ? [...lines, `${most.length - 2} more kinds`] : lines;
};

const below = (place, lines) =>
	lines.map((line, i) => svg("text", { x: place.x, y: place.y + (i + 1) * LINE,
		"text-anchor": place.anchor, class: "say" }, `${line} `));

const sayOf = (edge, way) => {
	const [text, dx, dy, anchor] = edge.say;

	return svg("text", { x: way.middle.x + dx, y: way.middle.y + dy, "text-anchor": anchor,
			     class: "say" }, text);
};

/* Read aloud it begins with what can be seen. */
const labelOf = (edge, isExit, lines) =>
	[count(edge.count), ...lines, edge.say?.[0]].filter(Boolean).join(" ") +
	`: ${nameOf(edge)}${isExit ? " otherwise" : ""}, ${plural(edge.count, "time")}`;

const drawEdge = (edge, way, panel, isExit, hasWords) => {
	const w = thickness(edge.count);
	const className = classOf(edge, isExit);
	const place = way.label ?? { ...way.middle, anchor: "middle" };
	const lines = hasWords && isExit && way.label ? reasons(edge) : [];
	const g = group(`edge-group ${className}`, labelOf(edge, isExit, lines), panel,
		() => aboutEdge(edge),
		edge.count && !edge.listener ? () => choose({ edge: asFilter(edge) }) : null, [
			svg("path", { d: way.d, class: "hit" }),
			svg("path", { d: way.d, class: `edge ${className}`, "stroke-width": w }),
			head(way.tip, 8 + w, className),
			edge.count > 0 && svg("text", { x: place.x, y: place.y + (way.label ? 0 : 4),
				"text-anchor": place.anchor, class: "count" }, count(edge.count)), " ",
			below(place, lines), " ",
			hasWords && edge.say && sayOf(edge, way),
		]);

	g.dataset.edge = `${edge.from}>${edge.to}${isExit ? "!" : ""}`;
	onFilter((f) => {
		const on = same(f.edge, edge.count ? asFilter(edge) : null);

		g.classList.toggle("chosen", on);
		if (edge.count)
			g.setAttribute("aria-pressed", on);
	});
	g.classList.toggle("chosen", same(filter.edge, edge.count ? asFilter(edge) : null));
	return g;
};

const dwellOf = (s, narrow) =>
	[s.now ? `${count(s.now)}${narrow && s.p50 !== undefined ? "" : " now"}` : "", s.p50 !== undefined ? duration(s.p50) : ""]
		.filter(Boolean).join(" · ") || (s.entered ? "0 now" : "-");

const swatch = (name, box) => {
	const w = box.w < 150 ? 5 : 7;
	const element = svg("path", { class: "swatch",
		d: `M${box.x + w},${box.y}a${w},7 0 0 0 -${w},7v${box.h - 14}a${w},7 0 0 0 ${w},7Z` });

	element.style.fill = `var(--${name})`;
	return element;
};

const drawState = (size, name, panel) => {
	const box = boxOf(size, name);
	const s = states[name];
	const real = !["BEGIN", "CLOSE"].includes(name);
	const label = real ? name : "CLOSED";
	const clickable = s && STATES.includes(name);

	return group(`state ${s ? "" : "never"} ${size.words ? "" : "narrow"}`,
		null, panel,
		() => (real ? aboutState(name) : [h("h3", {}, "CLOSED"), h("p", {}, "No connection.")]),
		clickable ? () => choose({ state: name }) : null, [
			svg("rect", { x: box.x, y: box.y, width: box.w, height: box.h, rx: 7 }),
			STATES.includes(name) && swatch(name, box),
			svg("text", { x: box.x + box.w / 2 + 2, y: box.y + box.h / 2 + (small.has(name) ? 5 : -4),
				class: "name", "text-anchor": "middle" }, label),
			!small.has(name) && svg("text", { x: box.x + box.w / 2 + 2, y: box.y + box.h / 2 + 15,
				class: "numbers", "text-anchor": "middle" }, dwellOf(s ?? {}, box.w < 150)),
		]);
};

const drawRestarts = (size, panel) => {
	const box = boxOf(size, "TIME_WAIT");
	const x = box.x + box.w;
	const y = box.y + 12;
	const edge = { from: "TIME_WAIT", to: "TIME_WAIT", count: restarts.count, parts: [restarts],
		       what: "The timer was restarted: a FIN or a segment of the peer came again" };

	return drawEdge(edge, {
		d: `M${x},${y}C${x + 34},${y - 14} ${x + 34},${y + 26} ${x + 8},${y + 16}`,
		tip: { x, y: y + 14, dx: 1, dy: 0.2 }, label: { x: x + 32, y: y + 10, anchor: "start" },
	}, panel, false, false);
};

const draw = (width, panel) => {
	const size = sizeFor(width);
	const way = (edge) => route(size, edge, 6 + thickness(edge.count));

	return svg("svg", { viewBox: `0 0 ${size.width} ${size.height}`, class: "diagram",
			    role: "group", "aria-label": "TCP state diagram" },
		[...drawn, ...others].sort((a, b) => a.count - b.count).map((edge) =>
			drawEdge(edge, way(edge), panel, others.includes(edge), size.words)),
		exits.map((edge) => drawEdge(edge, exit(size, edge.from, 6), panel, true, size.words)),
		restarts && drawRestarts(size, panel),
		["BEGIN", "LISTEN", ...STATES, "CLOSE"].map((name) => drawState(size, name, panel)));
};

export const diagram = () => {
	const panel = h("aside", { class: "panel" }, explanation());
	const picture = h("div", { class: "picture" });

	onWidth(picture, (width) => picture.replaceChildren(draw(width, panel)));
	return h("div", { class: "with-panel" }, picture, panel);
};
