// SPDX-License-Identifier: GPL-2.0-only
/*
 * A headless browser that notes what no page may do: complain, or ask for anything.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const ours = createRequire(new URL("../../web/", import.meta.url));
const { chromium } = ours("playwright-core");

export const axeSource = ours("axe-core").source;
export const root = new URL("../../", import.meta.url).pathname;

const executable = () => {
	const known = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser",
		       "/usr/bin/google-chrome"];

	return known.find((path) => path && existsSync(path));
};

/* Its sandbox does not work for root. */
export const launch = () =>
	chromium.launch({ executablePath: executable(), args: ["--no-sandbox"] });

/* @file: of the build folder. Ready when the script has built the page. .wrong: what it did. */
export const open = async (browser, file, options = {}) => {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	const page = await context.newPage();
	const address = `file://${join(root, "build", file)}`;
	const wrong = [];

	page.on("console", (message) => wrong.push(`console: ${message.text()}`));
	page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
	page.on("dialog", (dialog) => {
		wrong.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.on("request", (request) => {
		if (request.url() !== address && request.url() !== "data:,")
			wrong.push(`request: ${request.url()}`);
	});
	await page.goto(address);
	await page.waitForSelector("main > section");
	return Object.assign(page, { wrong });
};
