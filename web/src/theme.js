// SPDX-License-Identifier: GPL-2.0-only
/*
 * Light or dark: as the system has it until the reader chooses. Paper is light.
 */
import { h } from "./dom.js";

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = [];
let chosen = null;

const apply = (theme) => {
	root.dataset.theme = theme;
	for (const listener of listeners)
		listener();
};

const current = () => chosen ?? (system.matches ? "dark" : "light");

/* What is drawn on a canvas must be drawn anew. */
export const onTheme = (listener) => listeners.push(listener);

/* The page is built anew: what listened is gone. */
export const forgetThemeListeners = () => listeners.splice(0);

export const color = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

export const themeButton = () => {
	const button = h("button", { type: "button", class: "theme", onclick: () => {
		chosen = current() === "dark" ? "light" : "dark";
		apply(chosen);
	} });
	const label = () => {
		button.textContent = current() === "dark" ? "Light" : "Dark";
		button.setAttribute("aria-label", `${button.textContent} colours`);
	};

	label();
	onTheme(label);
	return button;
};

export const startTheme = () => {
	apply(current());
	system.addEventListener("change", () => apply(current()));
	addEventListener("beforeprint", () => apply("light"));
	addEventListener("afterprint", () => apply(current()));
};
