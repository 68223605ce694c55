// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of connections: filters above, rows on a canvas of which only the visible ones are drawn,
 * and what is known of the chosen one below. For whom a canvas says nothing it is a list box whose
 * current item is the chosen connection in words, and a table.
 */
import { scaleLinear } from "d3-scale";
import { select } from "d3-selection";
import { zoom, zoomIdentity } from "d3-zoom";
import { stateLegend } from "./axis.js";
import { AXIS, drawAxis, drawRows, palette, prepare, ROW } from "./canvas.js";
import { chosenOne } from "./chosen.js";
import { clock, startMs } from "./clock.js";
import { controls } from "./controls.js";
import { h, onWidth } from "./dom.js";
import { filter, onFilter } from "./filter.js";
import { count, duration } from "./format.js";
import { pages } from "./lifetable.js";
import { listing } from "./listing.js";
import * as lives from "./lives.js";
import { STATES } from "./model.js";
import { onTheme } from "./theme.js";

const HEIGHT = 25 * ROW;
const BEFORE = 14; /* for the hatching of what began before finwait */
const RIGHT = 14; /* for the arrow of what is still open */
const FONT = "system-ui, sans-serif";
const NOT_CHOSEN = "No connection is chosen";

const element = () => ({
	axis: h("canvas", { class: "axis-canvas", "aria-hidden": "true" }),
	canvas: h("canvas", { class: "rows-canvas", "aria-hidden": "true" }),
	space: h("div", { class: "space" }),
	option: h("div", { role: "option", id: "chosen-row", class: "unseen", "aria-selected": "true" },
		NOT_CHOSEN),
	reading: h("p", { class: "reading", "aria-hidden": "true" }),
	printed: h("p", { class: "remark on-paper" }),
	detail: h("div", { class: "detail" }),
	table: h("div", { hidden: true }),
});

/*
 * What the reader chose and points at, also when the page is built anew. span: what is zoomed to, in
 * milliseconds since 1970, or null: everything.
 */
const kept = {
	order: "worst", grouping: "none", id: -1, span: null, scrollTop: 0, table: false, pointer: null,
};

const msOf = (us) => (startMs || 0) + us / 1000;
const usOf = (ms) => (ms - (startMs || 0)) * 1000;

class Timelines {
	constructor() {
		this.parts = element();
		this.box = h("div", { class: "rows", tabindex: 0, role: "listbox",
			"aria-label": "Connections", "aria-activedescendant": "chosen-row" },
		this.parts.canvas, this.parts.space, this.parts.option);
		this.chosen = -1;
		this.pointer = null;
		this.width = 0;
		this.transform = zoomIdentity;
		this.controls = controls(this, kept);
		this.before = { ...kept };
		this.listen();
		this.filterChanged();
	}

	/* As it was before the page was built anew. */
	restore({ id, scrollTop, table }) {
		const i = id < 0 ? -1 : lives.withId(id);
		const k = i < 0 ? -1 : this.items.indexOf(i);

		if (k >= 0)
			this.choose(k);
		this.box.scrollTop = scrollTop;
		if (table)
			this.showTable(true);
		requestAnimationFrame(() => this.point(kept.pointer)); /* when the place in the page is back */
	}

	listen() {
		this.zoom = zoom().scaleExtent([1, 1e6]).filter((event) => this.isZoom(event))
			.on("zoom", (event) => {
				this.transform = event.transform;
				kept.span = this.transform.k === 1 ? null : this.scale().domain().map(msOf);
				this.dirty();
			});
		select(this.box).call(this.zoom).on("dblclick.zoom", null);
		this.box.addEventListener("scroll", () => {
			kept.scrollTop = this.box.scrollTop;
			this.dirty();
		}, { passive: true });
		this.box.addEventListener("click", (event) => this.choose(this.rowAt(event)));
		this.box.addEventListener("dblclick", (event) => this.zoomTo(this.items[this.rowAt(event)]));
		this.box.addEventListener("pointermove", (event) => this.point(event));
		this.box.addEventListener("pointerleave", () => this.point(null));
		this.box.addEventListener("keydown", (event) => this.key(event));
		onWidth(this.box, (width) => this.resized(width));
		onTheme(() => {
			this.colors = null;
			this.draw();
		});
		onFilter(() => this.filterChanged());
	}

	/* The wheel alone scrolls; with a key it zooms, as in maps. One finger scrolls, two zoom. */
	isZoom(event) {
		if (event.type === "wheel")
			return event.ctrlKey || event.metaKey || event.shiftKey;
		if (event.type.startsWith("touch"))
			return event.touches.length > 1;
		return !event.button;
	}

	filterChanged() {
		const { found, items } = listing(filter, kept.order, kept.grouping);

		this.items = items;
		this.chosen = -1;
		kept.id = -1;
		this.parts.option.textContent = NOT_CHOSEN;
		this.parts.detail.replaceChildren();
		this.parts.space.style.height = `${Math.max(0, items.length * ROW - this.height())}px`;
		this.box.style.height = `${this.height()}px`;
		this.box.scrollTop = 0;
		this.controls.say(found);
		if (!this.parts.table.hidden)
			this.parts.table.replaceChildren(pages(items));
		this.dirty();
	}

	height() {
		return Math.min(HEIGHT, Math.max(3 * ROW, this.items.length * ROW));
	}

	set(change) {
		Object.assign(kept, change);
		this.filterChanged();
	}

	showTable(on) {
		kept.table = on;
		this.parts.table.hidden = !on;
		this.parts.table.replaceChildren(...(on ? [pages(this.items)] : []));
	}

	/* ---- Drawing ---- */

	/* At once: before printing there is no next frame. */
	resized(width) {
		this.width = width;
		this.zoom.extent([[this.left(), 0], [this.right(), HEIGHT]])
			.translateExtent([[this.left(), -Infinity], [this.right(), Infinity]]);
		if (kept.span)
			this.zoomToSpan(...kept.span.map(usOf), 1);
		if (this.before)
			this.restore(this.before);
		this.before = null;
		this.draw();
	}

	left() {
		if (this.width < 620)
			return 96;
		return this.width < 900 ? 270 : 360;
	}

	right() {
		return this.width - RIGHT;
	}

	base() {
		return scaleLinear([0, Math.max(1, lives.spanUs)], [this.left() + BEFORE, this.right()]);
	}

	scale() {
		return this.transform.rescaleX(this.base());
	}

	dirty() {
		if (this.drawing)
			return;
		this.drawing = requestAnimationFrame(() => {
			this.drawing = 0;
			this.draw();
		});
	}

	view(c) {
		this.colors ??= palette();
		return { c, x: this.scale(), left: this.left(), right: this.width, colors: this.colors,
			 narrow: this.left() < 200, pointer: this.pointer, font: `12px ${FONT}`,
			 smallFont: `10px ${FONT}`, boldFont: `600 12px ${FONT}` };
	}

	draw() {
		const height = this.height();
		const top = this.box.scrollTop;
		const first = Math.floor(top / ROW);
		const last = Math.min(this.items.length, first + Math.floor(height / ROW));

		if (!this.width)
			return;
		drawAxis(this.view(prepare(this.parts.axis, this.width, AXIS)));
		drawRows(this.view(prepare(this.parts.canvas, this.width, height)), this.items, first,
			top % ROW, height, this.chosen);
		this.parts.printed.textContent = last - first < this.items.length ?
			`Printed: ${count(first + 1)} to ${count(last)} of ${count(this.items.length)}.` : "";
	}

	/* ---- Pointing and choosing ---- */

	rowAt(event) {
		const y = event.clientY - this.box.getBoundingClientRect().top + this.box.scrollTop;

		return Math.floor(y / ROW);
	}

	/* What is under the pointer: when, whose, in which state. @event: where it is, or null. */
	point(event) {
		kept.pointer = event && { clientX: event.clientX, clientY: event.clientY };
		const x = event && event.clientX - this.box.getBoundingClientRect().left;
		const isIn = event && x >= this.left() && x <= this.right();
		const item = event && this.items[this.rowAt(event)];

		this.pointer = isIn ? x : null;
		this.parts.reading.textContent = isIn ? this.reading(this.scale().invert(x), item) : "";
		this.dirty();
	}

	reading(us, item) {
		const at = [`${duration(us * 1000)} after the start`, clock(us)];

		if (typeof item === "number")
			at.push(lives.process(item), lives.pair(item), lives.at(item, us));
		return at.filter(Boolean).join(" · ");
	}

	choose(k) {
		const last = this.items.length - 1;

		if (last < 0)
			return;
		this.chosen = Math.max(0, Math.min(last, k));
		kept.id = typeof this.items[this.chosen] === "number" ? lives.id(this.items[this.chosen]) : -1;
		this.parts.option.textContent = this.words(this.items[this.chosen]);
		this.parts.detail.replaceChildren(...chosenOne(this.items[this.chosen],
			(item) => this.zoomTo(item)));
		this.reveal();
		this.dirty();
	}

	words(item) {
		return typeof item === "number" ? lives.sentence(item) : `${item.name}: ${item.count}`;
	}

	reveal() {
		const y = this.chosen * ROW;

		if (y < this.box.scrollTop)
			this.box.scrollTop = y;
		else if (y + ROW > this.box.scrollTop + this.height())
			this.box.scrollTop = y + ROW - this.height();
	}

	key(event) {
		const page = Math.floor(this.height() / ROW) - 1;
		const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 };
		const actions = {
			"+": () => this.zoomBy(1.6), "=": () => this.zoomBy(1.6), "-": () => this.zoomBy(1 / 1.6),
			0: () => this.zoomOut(), ArrowLeft: () => this.pan(80), ArrowRight: () => this.pan(-80),
			Enter: () => this.zoomTo(this.items[this.chosen]),
		};

		if (event.ctrlKey || event.metaKey || event.altKey)
			return;
		if (by[event.key])
			this.choose(this.chosen + by[event.key]);
		else if (actions[event.key])
			actions[event.key]();
		else
			return;
		event.preventDefault();
	}

	zoomBy(factor) {
		select(this.box).call(this.zoom.scaleBy, factor);
	}

	pan(by) {
		select(this.box).call(this.zoom.translateBy, by / this.transform.k, 0);
	}

	zoomOut() {
		select(this.box).call(this.zoom.transform, zoomIdentity);
	}

	/* So that this time fills @share of the width, in its middle. */
	zoomToSpan(fromUs, toUs, share) {
		const base = this.base();
		const from = base(fromUs);
		const [left, right] = base.range();
		const k = Math.min(1e6, (share * (right - left)) / Math.max(base(toUs) - from, 1e-6));
		const margin = (1 - share) / 2 * (right - left);

		select(this.box).call(this.zoom.transform,
			zoomIdentity.translate(left + margin - k * from, 0).scale(k));
	}

	/* @item: a connection, or nothing to zoom to. */
	zoomTo(item) {
		if (typeof item === "number")
			this.zoomToSpan(Math.max(0, lives.start(item)), lives.until(item), 0.9);
	}
}

export const timelines = () => {
	if (!lives.total)
		return h("p", { class: "remark" }, "No connection was seen.");
	const t = new Timelines();

	return [t.controls.element, stateLegend(STATES), h("div", { class: "timelines" },
		t.parts.axis, t.box), t.parts.printed, t.parts.reading, t.controls.hint, t.parts.detail,
	t.parts.table];
};
