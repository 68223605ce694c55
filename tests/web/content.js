// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a page has all that the report has: of each incident of the lab, and of a made-up host all
 * that text and JSON say of it.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { edgesFilter, fits, isAccessible, isComplete, keep, listed, modelOf } from "./ask.js";
import { open, root } from "./browser.js";
import { asJson } from "./model.js";

const incidents = {
	leak: "close-wait-leak", ports: "time-wait-port-exhaustion", nginx: "short-connections",
	server_closes: "server-closes-first", no_fin: "fin-wait-2-peer-stall",
	nat: "time-wait-behind-nat", simultaneous: "simultaneous-close",
};

const incident = (name, first) => async (browser) => {
	for (const colorScheme of ["light", "dark"]) {
		const page = await open(browser, `lab/${name}.html`, { colorScheme });

		assert.equal(await page.locator(".finding").first().getAttribute("data-id"), first);
		await isAccessible(page);
		await keep(page, `${name}-${colorScheme}`);
		if (colorScheme === "light") {
			await isComplete(page);
			await edgesFilter(page);
		}
		assert.deepEqual(page.wrong, []);
		await page.context().close();
	}
};

/* Both themes, both widths. */
const looks = async (browser) => {
	for (const colorScheme of ["light", "dark"]) {
		for (const width of [1280, 400]) {
			const page = await open(browser, "web/story.html",
				{ viewport: { width, height: 900 }, colorScheme });

			await fits(page);
			assert.equal(await page.locator(":root").getAttribute("data-theme"), colorScheme);
			assert.deepEqual(page.wrong, []);
			await isAccessible(page);
			await keep(page, `story-${width}-${colorScheme}`);
			await page.context().close();
		}
	}
};

const sameAsJson = async (browser) => {
	const page = await open(browser, "web/story.html");
	const json = JSON.parse(readFileSync(join(root, "build/web/story.json"), "utf8"));

	assert.deepEqual(asJson(await modelOf(page)), json);
	await isComplete(page);
	await page.context().close();
};

const plain = (text) => text.replace(/\s+/g, " ").trim().toLowerCase();

/* What can be read in a page, each piece in a line: paragraphs, facts, rows of tables and bars. */
const readable = async (page) => {
	for (const details of await page.locator("main details").all())
		await details.evaluate((d) => { d.open = true; });
	await page.waitForTimeout(50);
	const pieces = await page.evaluate(() => [...document.querySelectorAll(
		"p, h1, h2, h3, .facts > div, tr, .notes li, .bar-row")].map((e) => (
		e.matches("p, h1, h2, h3, li") ? e.textContent :
			[...e.children].map((c) => c.textContent).join(" "))));

	return pieces.map(plain).join("\n");
};

const marks = /^(!!|!|--|\*|means:|try:|facts:|sure:|critical|warning|info)\s+/i;

/* The pieces of a line of the text report, as the page has them. Sentences are folded there. */
const piecesOf = (line) => {
	let text = line.trim();

	while (marks.test(text))
		text = text.replace(marks, "");
	return text.replace(/ #+$/, "").replace(/^([\d.]+ \w+( \d\d \w)?) - /, "$1 to ")
		.split(" | ").map(plain).filter(Boolean);
};

/* In a line of the page, in this order; it may have more between: text leaves out columns that tell nothing. */
const isWithin = (lines, piece) => {
	const words = piece.split(" ");

	return lines.some((line) => {
		let at = 0;

		for (const word of line.split(" "))
			at += word === words[at] ? 1 : 0;
		return at === words.length;
	});
};

/* Written by two programs: in C there, in JavaScript here. */
const sameAsText = async (browser) => {
	const page = await open(browser, "web/story.html");
	const text = readFileSync(join(root, "build/web/story.text"), "utf8");
	const all = await readable(page);
	const lines = all.split("\n");
	const known = ["finwait report", "(nothing was seen)"];
	let n = 0;

	for (const piece of text.split("\n").slice(1).flatMap(piecesOf)) {
		if (known.includes(piece) || /^findings /.test(piece) || /^start /.test(piece))
			continue;
		assert.ok(all.includes(piece) || isWithin(lines, piece), `text has, the page has not: ${piece}`);
		n++;
	}
	assert.ok(n > 200, `only ${n} pieces`);
	await page.context().close();
};

/* The paper is light and its pictures fit; afterwards the page is as it was. */
const prints = async (browser) => {
	const page = await open(browser, "web/story.html",
		{ colorScheme: "dark", viewport: { width: 1280, height: 900 } });
	const width = () => page.locator(".rows-canvas").evaluate((c) => parseInt(c.style.width));
	const before = await width();

	await page.emulateMedia({ media: "print" });
	await page.setViewportSize({ width: 688, height: 900 });
	await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
	assert.ok(await width() <= 688, `${await width()} pixels on paper`);
	assert.equal(await page.locator(":root").getAttribute("data-theme"), "light");
	await fits(page);
	await page.setViewportSize({ width: 1280, height: 900 });
	await page.emulateMedia({ media: "screen" });
	await page.evaluate(() => dispatchEvent(new Event("afterprint")));
	await page.waitForFunction((w) => parseInt(document.querySelector(".rows-canvas").style.width) === w, before);
	assert.equal(await page.locator(":root").getAttribute("data-theme"), "dark");
	const pdf = await page.pdf({ format: "A4", printBackground: true });
	const pages = pdf.toString("latin1").match(/\/Type \/Page\b/g).length;

	assert.ok(pages > 2 && pages < 12, `${pages} pages`);
	assert.deepEqual(page.wrong, []);
	await page.context().close();
};

const nothing = async (browser) => {
	const page = await open(browser, "web/nothing.html");

	assert.match(await page.locator("#findings").innerText(), /Nothing wrong was seen/);
	assert.match(await page.locator("#connections").innerText(), /No connection was seen/);
	assert.deepEqual(page.wrong, []);
	await isAccessible(page);
	await page.context().close();
};

/* How long it takes is said, not judged: see docs/performance.md. */
const big = (nr, mostBytes) => async (browser) => {
	const bytes = statSync(join(root, `build/web/${nr}.html`)).size;
	const page = await open(browser, `web/${nr}.html`);
	const ms = await page.evaluate(() =>
		Math.round(performance.getEntriesByType("navigation")[0].domComplete));
	const before = Date.now();

	await page.locator(".edge-group[role=button]").first().press("Enter");
	assert.match(await listed(page), /are listed/);
	console.log(`     ${nr} connections: ${(bytes / 1e6).toFixed(2)} MB, complete after ${ms} ms, ` +
		`a click on an arrow takes ${Date.now() - before} ms`);
	assert.ok((await listed(page)).includes(`of ${nr.toLocaleString("en-US")} `) ||
		(await listed(page)).startsWith("All"));
	assert.ok(bytes <= mostBytes, `${bytes} bytes`);
	assert.deepEqual(page.wrong, []);
	await page.context().close();
};

export const content = {
	...Object.fromEntries(Object.entries(incidents).map(([name, first]) =>
		[`incident ${name}`, incident(name, first)])),
	"light and dark, wide and narrow": looks,
	"everything that JSON has": sameAsJson,
	"everything that text has": sameAsText,
	"print": prints,
	"nothing seen": nothing,
	"10,000 connections": big(10000, 1.5e6),
	"80,000 connections": big(80000, 12e6),
};
