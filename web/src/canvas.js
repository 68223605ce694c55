// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draws rows of the list: a row a connection, a colour a state.
 *
 *	hatched		what was before is not known: it began before finwait
 *	arrow		still open
 *	cross		ended by a reset, a timeout or the like
 *	hatched colour	ended at some time in it: events were lost
 *	bands		events were lost
 */
import { startsAt } from "./clock.js";
import { visible } from "./dom.js";
import { count, tick } from "./format.js";
import * as lives from "./lives.js";
import { STATES } from "./model.js";
import { color } from "./theme.js";

export const ROW = 20;
export const AXIS = 30;
const BAR = 14;

export const palette = () => {
	const p = { states: {} };

	for (const state of STATES)
		p.states[state] = color(state);
	for (const name of ["ink", "soft", "line", "paper", "raised", "accent", "bad", "hatch"])
		p[name] = color(name);
	return p;
};

let paper = 0; /* while it is printed: the least resolution */

addEventListener("beforeprint", () => {
	paper = 3;
});
addEventListener("afterprint", () => {
	paper = 0;
});

/* Room for the resolution of the screen or of paper; drawn in CSS pixels. */
export const prepare = (canvas, width, height) => {
	const ratio = Math.max(paper, window.devicePixelRatio || 1);
	const context = canvas.getContext("2d");

	if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(height * ratio);
		canvas.style.width = `${width}px`;
		canvas.style.height = `${height}px`;
	}
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
	context.clearRect(0, 0, width, height);
	context.textBaseline = "middle";
	return context;
};

const hatched = (c, x0, x1, y, height, ink) => {
	if (x1 <= x0)
		return;
	c.save();
	c.beginPath();
	c.rect(x0, y, x1 - x0, height);
	c.clip();
	c.strokeStyle = ink;
	c.lineWidth = 1.5;
	c.beginPath();
	for (let x = x0 - height - ((x0 - height) % 6); x < x1; x += 6) {
		c.moveTo(x, y + height);
		c.lineTo(x + height, y);
	}
	c.stroke();
	c.restore();
};

const fit = (c, text, width) => {
	const whole = visible(text);

	if (c.measureText(whole).width <= width)
		return whole;
	let keep = Math.max(3, Math.floor((whole.length * width) / c.measureText(whole).width) - 1);

	while (keep > 3 && c.measureText(`${whole.slice(0, keep)}…`).width > width)
		keep--;
	return `${whole.slice(0, keep)}…`;
};

const readable = (hex) => {
	const [r, g, b] = [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16) || 0);

	return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
};

const segment = (view, y, x0, x1, state) => {
	const { c, colors } = view;
	const from = Math.max(view.left, x0);
	const to = Math.min(view.right, Math.max(x1, x0 + 1.5));

	if (to <= from)
		return;
	c.fillStyle = colors.states[state] ?? colors.soft;
	c.fillRect(from, y, to - from, BAR);
	if (to - from < 74)
		return;
	c.fillStyle = readable(c.fillStyle);
	c.font = view.smallFont;
	c.fillText(state, from + 5, y + BAR / 2 + 1);
};

const openArrow = (view, x, y, state) => {
	const { c, colors } = view;

	if (x < view.left || x > view.right)
		return;
	c.fillStyle = colors.states[state] ?? colors.soft;
	c.beginPath();
	c.moveTo(x, y - 2);
	c.lineTo(x + 7, y + BAR / 2);
	c.lineTo(x, y + BAR + 2);
	c.fill();
};

const cross = (view, x, y) => {
	const { c, colors } = view;

	if (x < view.left || x > view.right)
		return;
	c.strokeStyle = colors.bad;
	c.lineWidth = 2;
	c.beginPath();
	c.moveTo(x + 3, y + 2);
	c.lineTo(x + 10, y + BAR - 2);
	c.moveTo(x + 10, y + 2);
	c.lineTo(x + 3, y + BAR - 2);
	c.stroke();
};

/* From the left to where it is first known to have been, and at least to the start of finwait. */
const before = ({ c, colors, left, x }, from, y) => {
	hatched(c, left, Math.max(left, from), y, BAR, colors.hatch);
	hatched(c, Math.max(left, from), x(0), y, BAR, colors.paper);
};

const bar = (view, i, y) => {
	const path = lives.path(i);
	let us = lives.start(i);

	path.names.forEach((state, step) => {
		const end = us + lives.dwell(i, step);

		segment(view, y, view.x(us), view.x(end), state);
		if (lives.stepHas(i, step, "at_most"))
			hatched(view.c, Math.max(view.left, view.x(us)),
				Math.min(view.right, view.x(end)), y, BAR, view.colors.paper);
		us = end;
	});
	if (lives.stepHas(i, 0, "at_least"))
		before(view, view.x(lives.start(i)), y);
	if (lives.isOpen(i))
		openArrow(view, view.x(us), y, lives.lastState(i));
	else if (!lives.endIsExpected(i))
		cross(view, view.x(us), y);
};

const label = (view, i, y) => {
	const { c, colors } = view;
	const room = view.left - 12;
	const process = fit(c, lives.process(i), view.narrow ? room : room * 0.34);

	c.fillStyle = colors.ink;
	c.font = view.font;
	c.fillText(process, 4, y);
	if (view.narrow)
		return;
	c.fillStyle = colors.soft;
	c.fillText(fit(c, lives.pair(i), room * 0.64), 4 + room * 0.36, y);
};

const heading = (view, item, y) => {
	const { c, colors } = view;

	c.fillStyle = colors.raised;
	c.fillRect(0, y, view.right, ROW);
	c.fillStyle = colors.ink;
	c.font = view.boldFont;
	c.fillText(fit(c, `${item.name}  (${count(item.count)})`, view.right - 12), 4, y + ROW / 2);
};

const bands = (view, height) => {
	for (const [us] of lives.losses) {
		const x = view.x(us);

		if (x >= view.left && x <= view.right)
			hatched(view.c, x - 3, x + 3, 0, height, view.colors.bad);
	}
};

/* @view: c, x (scale), left, right, narrow, colors, fonts; @first: the item at the top, @shift above it. */
export const drawRows = (view, items, first, shift, height, chosen) => {
	for (let k = first, y = -shift; k < items.length && y < height; k++, y += ROW) {
		const item = items[k];

		view.c.font = view.font;
		if (k === chosen) {
			view.c.fillStyle = view.colors.raised;
			view.c.fillRect(0, y, view.right, ROW);
			view.c.fillStyle = view.colors.accent;
			view.c.fillRect(0, y, 3, ROW);
		}
		if (typeof item === "number") {
			label(view, item, y + ROW / 2 + 1);
			bar(view, item, y + (ROW - BAR) / 2);
		} else {
			heading(view, item, y);
		}
	}
	bands(view, height);
	pointer(view, height);
};

/* The moment the pointer is at. */
const pointer = ({ c, colors, pointer: x }, height) => {
	if (x === null)
		return;
	c.fillStyle = colors.soft;
	c.fillRect(Math.round(x), 0, 1, height);
};

export const drawAxis = (view) => {
	const { c, colors, x } = view;
	const ticks = x.ticks(Math.max(3, Math.floor((view.right - view.left) / 110)));

	c.font = view.smallFont;
	c.fillStyle = colors.soft;
	c.strokeStyle = colors.line;
	c.lineWidth = 1;
	c.textAlign = "center";
	for (const t of ticks) {
		c.beginPath();
		c.moveTo(x(t) + 0.5, AXIS - 7);
		c.lineTo(x(t) + 0.5, AXIS);
		c.stroke();
		c.fillText(tick(t / 1e6), Math.max(view.left + 14, Math.min(view.right - 20, x(t))), 12);
	}
	c.textAlign = "left";
	if (!view.narrow && startsAt())
		c.fillText(`0 is ${startsAt()}`, 4, 12);
};
