// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a page which is served shows what comes, keeps what its reader has chosen, waits while he is
 * at it, says when nobody answers, and may ask its own server only.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { frames, isAccessible, listed } from "./ask.js";
import { root } from "./browser.js";

const page = readFileSync(join(root, "build/web/live.html"));
const model = JSON.parse(readFileSync(join(root, "build/web/live.json"), "utf8"));

/* What a server has 10 s later: a finding less, and one connection more in front of all others. */
const later = () => {
	const next = structuredClone(model);
	const { rows } = next.lives;

	next.findings.pop();
	next.lives.span_us += 10e6;
	next.lives.seen++;
	for (const column of Object.keys(rows))
		if (column !== "dwell")
			rows[column].unshift(column === "id" ? 9999 : rows[column][0]);
	rows.dwell.unshift(...rows.dwell.slice(0, next.lives.paths[rows.path[0]].length));
	return next;
};

const serve = () => new Promise((resolve) => {
	const state = { model, asked: 0 };
	const server = createServer((request, response) => {
		const isModel = request.url === "/model.json";

		state.asked += isModel;
		response.writeHead(["/", "/model.json"].includes(request.url) ? 200 : 404,
			{ "Content-Type": isModel ? "application/json" : "text/html; charset=utf-8" });
		response.end(isModel ? JSON.stringify(state.model) : page);
	});

	state.stop = () => {
		server.closeAllConnections();
		return new Promise((done) => server.close(() => done()));
	};
	server.listen(0, "127.0.0.1", () => {
		state.url = `http://127.0.0.1:${server.address().port}/`;
		resolve(state);
	});
});

/* Runs @test with a server and a page of it. A server that is left open would keep the program. */
const withServer = (test) => async (browser) => {
	const server = await serve();

	try {
		const tab = await open(browser, server.url);

		await test(tab, server);
		await tab.context().close();
	} finally {
		await server.stop();
	}
};

const open = async (browser, url) => {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
	const tab = await context.newPage();
	const wrong = [];

	tab.on("pageerror", (error) => wrong.push(error.message));
	tab.on("console", (message) => wrong.push(message.text()));
	await tab.goto(url);
	await tab.waitForSelector("main > section");
	return Object.assign(tab, { wrong });
};

const findings = (tab, n) =>
	tab.waitForFunction((wanted) => document.querySelectorAll(".finding").length === wanted, n,
		{ timeout: 15000 });

/* Where the list is; the one that was asked may just have been replaced. */
const boxOf = async (tab) => {
	const box = await tab.locator(".rows").boundingBox();

	return box ?? boxOf(tab);
};

/* What a reader can have chosen, and where he is. */
const choose = async (tab) => {
	await tab.locator(".edge-group[data-edge='ESTABLISHED>CLOSE_WAIT']").press("Enter");
	await tab.getByLabel("Group").selectOption("process");
	await tab.getByLabel("Order").selectOption("longest");
	await tab.getByRole("button", { name: "Dark colours" }).click();
	await tab.locator("summary", { hasText: "Transitions as numbers" }).click();
	await tab.locator("#section-states").getByRole("button", { name: "entered" }).click();
	await tab.locator("#section-kernel .table").first().getByRole("searchbox").fill("abort");
	const rows = tab.locator(".rows");

	for (const key of ["ArrowDown", "ArrowDown", "Enter"])
		await rows.press(key);
	await frames(tab);
	const box = await boxOf(tab);

	await tab.mouse.move(box.x + 800, box.y + 30);
};

/* The moment under the pointer; it is not moved again when the page is built anew. */
const pointedAt = async (tab) => {
	await tab.locator("#connections .reading", { hasText: " UTC · " }).waitFor({ timeout: 15000 });
	return (await tab.locator("#connections .reading").textContent()).split(" · ")[1];
};

const stateOf = async (tab) => {
	const box = await boxOf(tab);

	return {
		listed: (await listed(tab)).replace(/of .*/, ""),
		chosen: await tab.locator("#chosen-row").textContent(),
		chips: await tab.locator(".chip").allTextContents(),
		theme: await tab.locator(":root").getAttribute("data-theme"),
		open: await tab.locator("#diagram details").evaluate((d) => d.open),
		sorted: await tab.locator("#section-states th").nth(2).getAttribute("aria-sort"),
		found: await tab.locator("#section-kernel tbody").first().locator("tr").count(),
		at: await pointedAt(tab),
		focus: await tab.evaluate(() => document.activeElement.className),
		selects: await tab.locator("#connections select").evaluateAll((all) =>
			all.map((s) => s.value)),
		y: Math.round(box.y),
	};
};

/* When nothing of it changes any more: what is read may be in the middle of being built. */
const settled = async (tab, last = null) => {
	const state = JSON.stringify(await stateOf(tab));

	return state === last ? JSON.parse(state) : settled(tab, state);
};

const keeps = async (tab, server) => {
	await findings(tab, 5);
	await choose(tab);
	const before = await settled(tab);

	server.model = later();
	await findings(tab, 4);
	await frames(tab);
	const after = await settled(tab);

	assert.deepEqual(after, { ...before, listed: after.listed, y: after.y });
	assert.ok(Math.abs(after.y - before.y) <= 2, `moved from ${before.y} to ${after.y}`);
	assert.equal(parseInt(after.listed), parseInt(before.listed) + 1);
	assert.equal(before.focus, "rows");
	assert.deepEqual(tab.wrong, []);
	await isAccessible(tab);
};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Not while something is typed or it is paused; and a server that is gone is said to be gone. */
const waits = async (tab, server) => {
	await tab.getByLabel("Search", { exact: true }).fill("cur");
	await sleep(1500);
	const asked = server.asked;

	server.model = later();
	await sleep(2500);
	assert.equal(server.asked, asked, "asked while somebody types");
	assert.equal(await tab.locator(".finding").count(), 5);
	await tab.getByRole("button", { name: "Pause" }).click();
	await sleep(2500);
	assert.equal(server.asked, asked, "asked while it is paused");
	assert.match(await tab.locator("#live").innerText(), /^paused, as of \d\d:\d\d:\d\d UTC/);
	await tab.getByRole("button", { name: "Pause" }).click();
	await findings(tab, 4);
	assert.equal(await tab.getByLabel("Search", { exact: true }).inputValue(), "cur");
	await server.stop();
	await tab.locator("#live.stale", { hasText: "does not answer" }).waitFor({ timeout: 15000 });
	assert.equal(await tab.locator(".finding").count(), 4);
};

const asksItsServerOnly = async (tab, server) => {
	const other = await serve();
	const reached = await tab.evaluate(async ([own, foreign]) => Promise.all(
		[own, foreign].map((url) => fetch(`${url}model.json`, { mode: "no-cors" })
			.then(() => true, () => false))), [server.url, other.url]);

	await other.stop();
	assert.deepEqual(reached, [true, false]);
	assert.equal(other.asked, 0);
};

export const served = {
	"served: keeps what was chosen": withServer(keeps), "served: waits": withServer(waits),
	"served: asks its own server only": withServer(asksItsServerOnly),
};
