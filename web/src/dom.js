// SPDX-License-Identifier: GPL-2.0-only
/*
 * Elements. Text only ever becomes a text node, and what no reader should be sent (control characters,
 * those that turn the direction of text around) becomes visible: "\x1b".
 */
const SVG = "http://www.w3.org/2000/svg";
// eslint-disable-next-line no-control-regex
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const escaped = (c) => {
	const code = c.codePointAt(0);

	return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
};

export const visible = (text) => String(text).replace(INVISIBLE, escaped);

const fill = (element, attributes, children) => {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name.startsWith("on"))
			element.addEventListener(name.slice(2), value);
		else
			element.setAttribute(name, value === true ? "" : value);
	}
	for (const child of children.flat(Infinity)) {
		if (child === undefined || child === null || child === false)
			continue;
		element.append(child instanceof Node ? child : visible(child));
	}
	return element;
};

/* h("a", { href: "#x", onclick }, "text", element, [more]) */
export const h = (tag, attributes, ...children) =>
	fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) =>
	fill(document.createElementNS(SVG, tag), attributes, children);

/* Below each other in a section: a title and what belongs to it. */
export const block = (title, ...children) =>
	h("div", { class: "block" }, title && h("h3", {}, title), children);

const PAPER = 680; /* CSS pixels of A4 between its margins */

const drawers = [];

addEventListener("beforeprint", () => drawers.forEach((d) => d.draw(PAPER)));
addEventListener("afterprint", () => drawers.forEach((d) => d.draw(d.width)));

/* The page is built anew: what was drawn is gone. */
export const forgetDrawers = () => drawers.splice(0);

const resize = (drawer, width) => {
	if (!width || width === drawer.width)
		return;
	drawer.width = width;
	drawer.draw(width);
};

/* At once, so that everything has its place before the next frame. */
export const drawAll = () => drawers.forEach((d) => resize(d, d.element.clientWidth));

/*
 * Calls @draw with the width of @element whenever it changes; and with that of paper before it is
 * printed, since nothing observes the size it has there. The first time is drawAll().
 */
export const onWidth = (element, draw) => {
	const drawer = { element, width: 0, draw: (width) => width && draw(width) };

	new ResizeObserver((entries) =>
		resize(drawer, Math.floor(entries[0].contentRect.width))).observe(element);
	drawers.push(drawer);
};
