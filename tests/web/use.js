// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a page can be used: by mouse and by keyboard, from a finding to what it is about.
 */
import assert from "node:assert/strict";
import { frames, listed, modelOf } from "./ask.js";
import { open } from "./browser.js";

const search = async (browser) => {
	const page = await open(browser, "web/story.html");

	await page.getByLabel("Search", { exact: true }).fill("httpd");
	assert.equal(await listed(page), "80 of 407 are listed.");
	await page.getByLabel("Search", { exact: true }).fill("nobody");
	assert.equal(await listed(page), "0 of 407 are listed.");
	await page.getByRole("button", { name: "Show all" }).click();
	await page.getByLabel("Only").selectOption("stall");
	assert.equal(await listed(page), "6 of 407 are listed.");
	await page.getByLabel("Only").selectOption("");
	await page.getByLabel("Group").selectOption("process");
	await page.locator(".rows").press("Home");
	assert.match(await page.locator("#chosen-row").textContent(), /^curl\/7: \d+$/);
	assert.deepEqual(page.wrong, []);
	await page.context().close();
};

const findingToPicture = async (browser) => {
	const page = await open(browser, "web/story.html");

	await page.locator(".finding button", { hasText: "Show its connections" }).first().click();
	assert.equal(await listed(page), "12 of 407 are listed.");
	await page.locator(".finding a", { hasText: "See the numbers" }).first().click();
	assert.match(page.url(), /#section-close_wait$/);
	await page.context().close();
};

/* Of several offenders each has its own; all findings that there are lead somewhere. */
const offenders = async (browser) => {
	const page = await open(browser, "web/10000.html");
	const stall = page.locator(".finding[data-id=fin-wait-2-peer-stall]");

	await stall.locator("tr", { hasText: "198.51.100.2:443" }).getByRole("button").click();
	assert.equal(await listed(page), "67 of 10,000 are listed.");
	await stall.getByRole("button", { name: "Show its connections" }).click();
	assert.equal(await listed(page), "100 of 10,000 are listed.");
	const story = await open(browser, "web/story.html");
	const { findings, sections } = await modelOf(story);

	assert.ok(findings.length > 3);
	assert.deepEqual(findings.map((f) => f.section)
		.filter((key) => !sections.some((s) => s.key === key)), [], "a section that the report lacks");
	await page.context().close();
	await story.context().close();
};

const keyboard = async (browser) => {
	const page = await open(browser, "web/story.html");
	const rows = page.locator(".rows");
	const said = () => page.locator("#chosen-row").textContent();

	await rows.focus();
	await rows.press("ArrowDown");
	const first = await said();
	assert.match(first, /CLOSE_WAIT 5\d\.\d s; still open$/);
	await rows.press("ArrowDown");
	assert.notEqual(await said(), first);
	await rows.press("End");
	assert.ok(await rows.evaluate((box) => box.scrollTop > 1000), "End does not scroll");
	for (const key of ["+", "ArrowRight", "-", "0"])
		await rows.press(key);
	await page.locator("#over-time svg.chart").press("ArrowLeft");
	assert.match(await page.locator("#over-time .reading").textContent(), /^After 7\d\.\d s: /);
	assert.deepEqual(page.wrong, []);
	await page.context().close();
};

const pixels = (page) =>
	page.locator(".rows-canvas").evaluate((canvas) => {
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		const colors = new Set();

		for (let i = 0; i < data.length; i += 4) {
			if (data[i + 3] === 255)
				colors.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
		}
		return [...colors];
	});

/* CLOSE_WAIT and FIN_WAIT_2 are there in their colours, and others in the other theme. */
const colours = async (browser) => {
	const page = await open(browser, "web/story.html");

	await frames(page);
	const light = await pixels(page);

	assert.ok(light.includes("213,94,0") && light.includes("230,159,0"), "no CLOSE_WAIT, FIN_WAIT_2");
	await page.getByRole("button", { name: "Dark colours" }).click();
	await frames(page);
	assert.ok(!(await pixels(page)).includes("213,94,0"), "drawn in the colours of the other theme");
	await page.context().close();
};

/* Where the pointer is, in seconds after the start, and what is said of it. */
const pointAt = async (page, share, y) => {
	const box = await page.locator(".rows").boundingBox();
	const [left, right] = [box.x + 374, box.x + box.width - 14];

	await page.mouse.move(left + share * (right - left), box.y + y);
	const text = await page.locator("#connections .reading").textContent();

	return { text, s: Number(/^([\d.]+) s after/.exec(text)?.[1]) };
};

const pointer = async (browser) => {
	const page = await open(browser, "web/story.html");

	await page.locator(".rows").scrollIntoViewIfNeeded();
	const { text } = await pointAt(page, 0.5, 30);
	assert.match(text, /^3\d\.\d s after the start · 2026-11-23 00:00:0\d\.\d+ UTC · curl\/7 · :4040\d → /);
	assert.match(text, /CLOSE_WAIT 5\d\.\d s$/);
	assert.match((await pointAt(page, 0.02, 30)).text, /not yet begun$/);
	await page.mouse.move(5, 5);
	assert.equal(await page.locator("#connections .reading").textContent(), "");
	await page.context().close();
};

/* In the middle of what is seen is the middle of the life, from 20.4 s to 75 s. */
const zooms = async (browser) => {
	const page = await open(browser, "web/story.html");
	const rows = page.locator(".rows");

	await rows.scrollIntoViewIfNeeded();
	const wide = (await pointAt(page, 1, 30)).s - (await pointAt(page, 0.1, 30)).s;
	await page.getByRole("button", { name: "Zoom in" }).click();
	await frames(page);
	const narrow = (await pointAt(page, 1, 30)).s - (await pointAt(page, 0.1, 30)).s;
	assert.ok(Math.abs(wide / narrow - 1.6) < 0.05, `${wide} s became ${narrow} s`);
	await rows.press("ArrowDown");
	await rows.press("Enter");
	await frames(page);
	const { s } = await pointAt(page, 0.5, 30);
	assert.ok(Math.abs(s - 47.7) < 0.3, `${s} s is in the middle`);
	assert.deepEqual(page.wrong, []);
	await page.context().close();
};

const tables = async (browser) => {
	const page = await open(browser, "web/story.html");
	const states = page.locator("#section-states table");
	const column = (k) => states.locator(`tbody td:nth-child(${k})`).allTextContents();

	await states.getByRole("button", { name: "entered" }).click();
	const entered = (await column(3)).map((n) => Number(n.replace(",", "")));
	assert.deepEqual(entered, [...entered].sort((a, b) => b - a));
	assert.equal(await states.locator("th").nth(2).getAttribute("aria-sort"), "descending");
	const kernel = page.locator("#section-kernel .table").first();
	await kernel.getByRole("searchbox").fill("abort");
	assert.equal(await kernel.locator("tbody tr").count(), 3);
	assert.deepEqual(page.wrong, []);
	await page.context().close();
};

export const use = {
	"search and group": search, "from finding to picture": findingToPicture,
	"from offender to connections": offenders, "keyboard": keyboard, "pointer": pointer,
	"colours of the states": colours, "zoom": zooms, "tables": tables,
};
