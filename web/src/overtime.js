// SPDX-License-Identifier: GPL-2.0-only
/*
 * States over time, stacked: how many connections were in each at the end of each step.
 */
import { max } from "d3-array";
import { scaleLinear } from "d3-scale";
import { area, curveStepBefore, stack } from "d3-shape";
import { countAxis, hatch, reading, stateLegend, timeAxis } from "./axis.js";
import { h, onWidth, svg } from "./dom.js";
import { count, duration, plural } from "./format.js";
import { derive, rows, section, STATES, table } from "./model.js";

const HEIGHT = 240;
const LEFT = 52;
const BOTTOM = 26;
const TOP = 8;

let steps;   /* rows of the table, their times in seconds */
let present; /* states that there were */

derive(() => {
	steps = rows(table("over_time", "steps")).map((s) => ({ ...s, at: s.at / 1e9 }));
	present = STATES.filter((state) => steps.some((s) => s[state]));
});

const sumOf = (step) => present.reduce((n, state) => n + step[state], 0);

const say = (step) =>
	`After ${duration(step.at * 1e9)}: ${plural(sumOf(step), "connection")}` +
	present.filter((s) => step[s]).map((s) => ` · ${s} ${count(step[s])}`).join("") +
	(step.lost ? ` · ${plural(step.lost, "event")} lost` : "");

const lostBands = (x) =>
	steps.map((step, i) => step.lost > 0 && svg("rect", {
		x: x(steps[i - 1]?.at ?? 0), width: Math.max(4, x(step.at) - x(steps[i - 1]?.at ?? 0)),
		y: TOP, height: HEIGHT - TOP - BOTTOM, fill: "url(#lost)", class: "lost" }));

const layers = (x, y) => {
	const shape = area().x((p) => x(p.data.at)).y0((p) => y(p[0])).y1((p) => y(p[1]))
		.curve(curveStepBefore);

	return stack().keys(present)(steps).map((layer) =>
		svg("path", { d: shape(layer), fill: `var(--${layer.key})`, class: "layer" }));
};

const nearest = (seconds) => {
	const i = steps.findIndex((s) => s.at >= seconds);

	return i < 0 ? steps.length - 1 : i;
};

/* A line that follows the pointer or the arrow keys, and says what is there. */
const follow = (picture, x, note) => {
	const line = svg("path", { class: "cursor" });
	let now = -1;
	const move = (i) => {
		now = Math.max(0, Math.min(steps.length - 1, i));
		line.setAttribute("d", `M${x(steps[now].at)},${TOP}V${HEIGHT - BOTTOM}`);
		note.textContent = say(steps[now]);
	};

	picture.append(line);
	picture.addEventListener("pointermove", (event) => {
		const box = picture.getBoundingClientRect();

		move(nearest(x.invert(event.clientX - box.left)));
	});
	picture.addEventListener("keydown", (event) => {
		const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];

		if (!by)
			return;
		event.preventDefault();
		move(now < 0 ? steps.length - 1 : now + by);
	});
};

const draw = (width, note) => {
	const x = scaleLinear([0, steps[steps.length - 1].at], [LEFT, width - 8]);
	const y = scaleLinear([0, max(steps, sumOf) || 1], [HEIGHT - BOTTOM, TOP]).nice(5);
	const picture = svg("svg", { width, height: HEIGHT, tabindex: 0, role: "img",
		class: "chart", "aria-label": "States over time. Arrow keys read it step by step." },
	hatch("lost"), countAxis(y, LEFT, width - 8),
	timeAxis(x, HEIGHT - BOTTOM, TOP, width < 500 ? 4 : 9), layers(x, y), lostBands(x));

	follow(picture, x, note);
	return picture;
};

export const overTime = () => {
	const picture = h("div", { class: "picture" });
	const note = reading();

	if (steps.length < 2 || !present.length)
		return h("p", { class: "remark" }, "No connection was open.");
	note.textContent = say(steps[steps.length - 1]);
	onWidth(picture, (width) => picture.replaceChildren(draw(width, note)));
	return [stateLegend(present), picture, note,
		steps.some((s) => s.lost) && h("p", { class: "remark" },
			"Hatched: events were lost there, and the counts are not exact."),
		(section("over_time")?.notes ?? []).map((n) => h("p", { class: "remark" }, n))];
};
