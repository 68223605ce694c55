// SPDX-License-Identifier: GPL-2.0-only
/*
 * Only in a page that is served ("live" in the model): fetches the model again every few seconds, and has
 * the page built anew from it. What the reader did stays: filters, zoom, order, the chosen connection,
 * what was opened, sorted and typed, the place in the page and the focus. Nothing moves while it is being
 * typed, pointed with a pressed button, or while nobody looks.
 */
import { h } from "./dom.js";
import { model, replaceModel } from "./model.js";

const FOCUSABLE = "a, button, input, select, summary, [tabindex]";
let paused = false;
let pressed = false;
let since = new Date(); /* of what is shown */
let trouble = null;

const timeOf = (date) => date.toISOString().slice(11, 19);

/* Where somebody is: a place in the text and a focus, both by section. */
const placeOf = () => {
	const sections = [...document.querySelectorAll("header, main > section")];
	const top = sections.findLast((s) => s.getBoundingClientRect().top <= 100) ?? sections[0];
	const focus = document.activeElement.closest("header, nav, main > section");

	return {
		top: top.id, offset: top.getBoundingClientRect().top,
		focusIn: focus && (focus.id || focus.localName),
		focusAt: focus ? [...focus.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement) : -1,
	};
};

const element = (name) => document.getElementById(name) ?? document.querySelector(name || "header");

const goBackTo = ({ top, offset, focusIn, focusAt }) => {
	scrollBy(0, element(top).getBoundingClientRect().top - offset);
	if (focusAt >= 0)
		element(focusIn)?.querySelectorAll(FOCUSABLE)[focusAt]?.focus({ preventScroll: true });
};

const isBusy = () =>
	paused || pressed || document.hidden || document.activeElement.matches("input, select");

const refresh = async (rebuild) => {
	try {
		const response = await fetch(model.live.from, { cache: "no-store", redirect: "error" });

		if (!response.ok)
			throw new Error(response.status);
		const next = await response.json();

		if (isBusy()) /* meanwhile */
			return;
		const place = placeOf();

		since = new Date();
		trouble = null;
		replaceModel(next);
		rebuild();
		goBackTo(place);
	} catch (error) {
		trouble = error.message;
		say();
	}
};

const words = () => {
	if (trouble)
		return `finwait does not answer (${trouble}); as of ${timeOf(since)} UTC`;
	return `${paused ? "paused" : "live"}, as of ${timeOf(since)} UTC`;
};

const say = () => {
	const line = document.getElementById("live");

	line.firstChild.textContent = words();
	line.classList.toggle("stale", Boolean(trouble));
};

/* For the header; nothing in a file. */
export const liveLine = () => {
	if (!model.live)
		return null;
	const button = h("button", { type: "button", "aria-pressed": String(paused), onclick: () => {
		paused = !paused;
		button.setAttribute("aria-pressed", paused);
		say();
	} }, "Pause");

	return h("p", { id: "live" }, h("span", {}, words()), button);
};

export const startLive = (rebuild) => {
	if (!model.live)
		return;
	addEventListener("pointerdown", () => { pressed = true; });
	for (const name of ["pointerup", "pointercancel", "blur"])
		addEventListener(name, () => { pressed = false; });
	const again = async () => {
		if (!isBusy())
			await refresh(rebuild);
		setTimeout(again, model.live.every_s * 1000);
	};

	setTimeout(again, model.live.every_s * 1000);
};
