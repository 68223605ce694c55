// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is asked of any page, whatever is in it.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { axeSource } from "./browser.js";
import { countEdge } from "./model.js";

const pictures = ["findings", "diagram", "connections", "over-time"];
const drawn = ["transitions", "over_time", "time_wait_bars"]; /* no section of their own */

export const modelOf = (page) =>
	page.evaluate(() => JSON.parse(document.getElementById("report").textContent));

export const listed = async (page) =>
	(await page.locator("#connections .controls [role=status]").textContent()).trim();

/* What the status line says of @n of @total. */
export const says = (n, total) => {
	const text = (k) => k.toLocaleString("en-US");

	return n === total ? `All ${text(n)} are listed.` : `${text(n)} of ${text(total)} are listed.`;
};

export const keep = async (page, name) => {
	if (process.env.KEEP)
		await page.screenshot({ path: join(process.env.KEEP, `${name}.png`), fullPage: true });
};

/* Two frames: what was asked for has been drawn. */
export const frames = (page) =>
	page.evaluate(() => new Promise((resolve) =>
		requestAnimationFrame(() => requestAnimationFrame(resolve))));

/* Of each table of the section: how many rows it has, and all its texts. */
const tablesOf = (page, key) =>
	page.locator(`[data-section="${key}"] table`).evaluateAll((all) => all.map((table) =>
		[...table.tBodies[0].rows].map((row) => [...row.cells].map((c) => c.textContent))));

const hasTables = async (page, section) => {
	const tables = await tablesOf(page, section.key);
	const full = section.tables.filter((t) => t.rows.length);

	assert.deepEqual(tables.map((rows) => rows.length), full.map((t) => t.rows.length),
		`rows of ${section.key}`);
	full.forEach((t, k) => t.rows.forEach((row, r) => row.forEach((cell, c) => {
		if (cell?.[0] === "t")
			assert.equal(tables[k][r][c], (cell[2] ? ">= " : "") + cell[1]);
		assert.equal(tables[k][r][c] === "-", cell === null, `${section.key} ${t.key} ${r} ${c}`);
	})));
};

export const isComplete = async (page) => {
	const model = await modelOf(page);
	const text = await page.locator("main").innerText();
	const ids = await page.locator("[data-section]").evaluateAll((all) =>
		all.map((s) => s.dataset.section));

	for (const id of pictures)
		assert.equal(await page.locator(`#${id}`).count(), 1, `no ${id}`);
	assert.deepEqual(ids, model.sections.map((s) => s.key).filter((key) => !drawn.includes(key)));
	for (const section of model.sections.filter((s) => ids.includes(s.key))) {
		for (const what of [section.title, ...section.notes,
				    ...section.facts.map((f) => f[1])])
			assert.ok(text.includes(what), `not to be read: ${what}`);
		await hasTables(page, section);
	}
};

/* Ends that the RFC's figure has, by the state they leave. */
const regular = { LAST_ACK: "last_ack", TIME_WAIT: "time_wait_expired", SYN_SENT: "aborted" };

/* Each arrow with a number lists as many connections as took it. */
export const edgesFilter = async (page) => {
	const model = await modelOf(page);
	const groups = page.locator(".edge-group[role=button]");
	const total = model.lives.rows.id.length;

	assert.ok(await groups.count() > 1, "hardly any arrow can be clicked");
	for (let i = 0; i < await groups.count(); i++) {
		const name = await groups.nth(i).getAttribute("data-edge");
		const [from, to] = name.replace("!", "").split(">");
		const ends = model.lists.ends.map((e) => e[0])
			.filter((end) => (end === regular[from]) !== name.endsWith("!"));

		if (from === "CLOSE" || from === "LISTEN" || from === to)
			continue;
		await groups.nth(i).press("Enter");
		assert.ok((await listed(page)).endsWith(says(countEdge(model, from, to, ends), total)),
			`${name}: ${await listed(page)}`);
		assert.equal(await groups.nth(i).getAttribute("aria-pressed"), "true");
	}
	await page.getByRole("button", { name: "Show all" }).click();
	assert.ok((await listed(page)).endsWith(says(total, total)), await listed(page));
};

export const isAccessible = async (page) => {
	await page.evaluate(axeSource);
	const { violations } = await page.evaluate(() => window.axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
	const serious = violations.filter((v) => ["serious", "critical"].includes(v.impact));

	assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
};

export const fits = async (page) => {
	const [inner, outer] = await page.evaluate(() =>
		[document.documentElement.scrollWidth, window.innerWidth]);

	assert.ok(inner <= outer, `${inner} pixels wide`);
};
