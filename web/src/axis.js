// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the pictures in SVG share: axes, hatching for what is not known, and a legend of states.
 */
import { h, svg } from "./dom.js";
import { legend } from "./bars.js";
import { count, tick } from "./format.js";

export const timeAxis = (x, y, top, ticks) =>
	svg("g", { class: "axis" }, x.ticks(ticks).map((t) => [
		svg("path", { d: `M${x(t)},${top}V${y}`, class: "grid" }),
		svg("text", { x: x(t), y: y + 18, "text-anchor": "middle" }, tick(t)),
	]));

export const countAxis = (y, left, right) =>
	svg("g", { class: "axis" }, y.ticks(5).filter(Number.isInteger).map((n) => [
		svg("path", { d: `M${left},${y(n)}H${right}`, class: "grid" }),
		svg("text", { x: left - 6, y: y(n) + 4, "text-anchor": "end" }, count(n)),
	]));

export const hatch = (id) =>
	svg("defs", {}, svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse",
		patternTransform: "rotate(45)" },
	svg("rect", { width: 2.5, height: 6, class: "hatch" })));

export const stateLegend = (states) =>
	legend(states.map((s) => ({ label: s, color: s })));

export const reading = () => h("p", { class: "reading", role: "status" });
