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
import { controls } from "./controls.js";
import { h, onWidth } from "./dom.js";
import { filter, onFilter } from "./filter.js";
import { pages } from "./lifetable.js";
import { listing } from "./listing.js";
import * as lives from "./lives.js";
import { STATES } from "./model.js";
import { onTheme } from "./theme.js";

const HEIGHT = 25 * ROW;
const FONT = "system-ui, sans-serif";

const element = () => ({
	axis: h("canvas", { class: "axis-canvas", "aria-hidden": "true" }),
	canvas: h("canvas", { class: "rows-canvas", "aria-hidden": "true" }),
	space: h("div", {}),
	option: h("div", { role: "option", id: "chosen-row", class: "unseen", "aria-selected": "true" },
		"No connection is chosen"),
	detail: h("div", { class: "detail" }),
	table: h("div", { hidden: true }),
});

class Timelines {
	constructor() {
		this.parts = element();
		this.box = h("div", { class: "rows", tabindex: 0, role: "listbox",
			"aria-label": "Connections", "aria-activedescendant": "chosen-row" },
		this.parts.canvas, this.parts.space, this.parts.option);
		this.order = "worst";
		this.grouping = "none";
		this.chosen = -1;
		this.transform = zoomIdentity;
		this.controls = controls(this);
		this.listen();
		this.filterChanged();
	}

	listen() {
		this.zoom = zoom().scaleExtent([1, 1e6]).filter((event) => this.isZoom(event))
			.on("zoom", (event) => {
				this.transform = event.transform;
				this.dirty();
			});
		select(this.box).call(this.zoom).on("dblclick.zoom", null);
		this.box.addEventListener("scroll", () => this.dirty(), { passive: true });
		this.box.addEventListener("click", (event) => this.clicked(event));
		this.box.addEventListener("keydown", (event) => this.key(event));
		onWidth(this.box, () => this.resized());
		onTheme(() => {
			this.colors = null;
			this.dirty();
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
		const { found, items } = listing(filter, this.order, this.grouping);

		this.items = items;
		this.chosen = -1;
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
		Object.assign(this, change);
		this.filterChanged();
	}

	showTable(on) {
		this.parts.table.hidden = !on;
		this.parts.table.replaceChildren(...(on ? [pages(this.items)] : []));
	}

	/* ---- Drawing ---- */

	resized() {
		const extent = [[this.left(), 0], [this.box.clientWidth - 14, HEIGHT]];

		this.zoom.extent(extent).translateExtent(
			[[this.left(), -Infinity], [this.box.clientWidth - 14, Infinity]]);
		this.filterChanged();
	}

	left() {
		return this.box.clientWidth < 620 ? 96 : 300;
	}

	scale() {
		const base = scaleLinear([0, Math.max(1, lives.spanUs)],
			[this.left(), this.box.clientWidth - 14]);

		return this.transform.rescaleX(base);
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
		return { c, x: this.scale(), left: this.left(), right: this.box.clientWidth,
			 narrow: this.left() < 200, colors: this.colors, font: `12px ${FONT}`,
			 smallFont: `10px ${FONT}`, boldFont: `600 12px ${FONT}` };
	}

	draw() {
		const width = this.box.clientWidth;
		const height = this.height();
		const top = this.box.scrollTop;

		if (!width)
			return;
		drawAxis(this.view(prepare(this.parts.axis, width, AXIS)));
		drawRows(this.view(prepare(this.parts.canvas, width, height)), this.items,
			Math.floor(top / ROW), top % ROW, height, this.chosen);
	}

	/* ---- Choosing ---- */

	clicked(event) {
		const y = event.clientY - this.box.getBoundingClientRect().top + this.box.scrollTop;

		this.box.focus({ preventScroll: true });
		this.choose(Math.floor(y / ROW));
	}

	choose(k) {
		const last = this.items.length - 1;

		if (last < 0)
			return;
		this.chosen = Math.max(0, Math.min(last, k));
		this.parts.option.textContent = this.words(this.items[this.chosen]);
		this.parts.detail.replaceChildren(...chosenOne(this.items[this.chosen]));
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
}

export const timelines = () => {
	if (!lives.total)
		return h("p", { class: "remark" }, "No connection was seen.");
	const t = new Timelines();

	return [t.controls.element, stateLegend(STATES), h("div", { class: "timelines" },
		t.parts.axis, t.box), t.controls.hint, t.parts.detail, t.parts.table];
};
