// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the page of a report shows all of it, whatever is in it, asks for nothing, and can be used
 * by mouse, keyboard and screen reader, at 1280 and at 400 pixels, light and dark.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { axeSource, launch, open, root } from "./browser.js";
import { asJson, countEdge } from "./model.js";

const incidents = {
	leak: "close-wait-leak", ports: "time-wait-port-exhaustion", nginx: "short-connections",
	server_closes: "server-closes-first", no_fin: "fin-wait-2-peer-stall",
	nat: "time-wait-behind-nat", simultaneous: "simultaneous-close",
};
const pictures = ["findings", "diagram", "connections", "over-time"];

const modelOf = (page) =>
	page.evaluate(() => JSON.parse(document.getElementById("report").textContent));

const listed = async (page) =>
	(await page.locator("#connections .controls [role=status]").textContent()).trim();

/* What the status line says of @n of @total. */
const says = (n, total) => {
	const text = (k) => k.toLocaleString("en-US");

	return n === total ? `All ${text(n)} are listed.` : `${text(n)} of ${text(total)} are listed.`;
};

const keep = async (page, name) => {
	if (process.env.KEEP)
		await page.screenshot({ path: join(process.env.KEEP, `${name}.png`), fullPage: true });
};

/* ---- What is asked of any page --------------------------------------------------------------- */

const isComplete = async (page) => {
	const model = await modelOf(page);
	const text = await page.locator("main").innerText();
	const ids = await page.locator("[data-section]").evaluateAll((all) =>
		all.map((s) => s.dataset.section));
	const drawn = ["transitions", "over_time", "time_wait_bars"];

	for (const id of pictures)
		assert.equal(await page.locator(`#${id}`).count(), 1, `no ${id}`);
	assert.deepEqual(ids, model.sections.map((s) => s.key).filter((key) => !drawn.includes(key)));
	for (const section of model.sections.filter((s) => ids.includes(s.key))) {
		for (const what of [section.title, ...section.notes,
				    ...section.facts.map((f) => f[1])])
			assert.ok(text.includes(what), `not to be read: ${what}`);
	}
};

/* Each arrow with a number lists as many connections as took it. */
const edgesFilter = async (page) => {
	const model = await modelOf(page);
	const groups = page.locator(".edge-group[role=button]");
	const total = model.lives.rows.id.length;

	assert.ok(await groups.count() > 1, "hardly any arrow can be clicked");
	for (let i = 0; i < await groups.count(); i++) {
		const name = await groups.nth(i).getAttribute("data-edge");
		const [from, to] = name.replace("!", "").split(">");
		const regular = { LAST_ACK: "last_ack", TIME_WAIT: "time_wait_expired" }[from];
		const ends = model.lives.ends.map((e) => e[0])
			.filter((end) => (end === regular) !== name.endsWith("!"));

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

const isAccessible = async (page) => {
	await page.evaluate(axeSource);
	const { violations } = await page.evaluate(() => window.axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
	const serious = violations.filter((v) => ["serious", "critical"].includes(v.impact));

	assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
};

const fits = async (page) => {
	const [inner, outer] = await page.evaluate(() =>
		[document.documentElement.scrollWidth, window.innerWidth]);

	assert.ok(inner <= outer, `${inner} pixels wide`);
};

const incident = (name, first) => async (browser) => {
	const page = await open(browser, `lab/${name}.html`);

	assert.equal(await page.locator(".finding").first().getAttribute("data-id"), first);
	await isComplete(page);
	await edgesFilter(page);
	assert.deepEqual(page.wrong, []);
	await isAccessible(page);
	await keep(page, name);
	await page.context().close();
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

/* ---- Hostile -------------------------------------------------------------------------------- */

const hostile = async (browser) => {
	const page = await open(browser, "web/story.html");

	await page.getByRole("button", { name: "Table" }).click();
	await page.getByLabel("Search", { exact: true }).fill("onerr");
	assert.equal(await listed(page), "5 of 404 are listed.");
	await page.locator(".rows").press("ArrowDown");
	const detail = await page.locator(".detail").innerText();

	assert.ok(detail.includes("<img src=x onerr/666"), detail);
	assert.ok(detail.includes("/evil</script><img src=x onerror=alert(1)>"), detail);
	assert.ok((await page.locator(".panel, .finding, main").first().innerText())
		.includes("<img src=x onerr/666"));
	assert.equal(await page.locator("img, iframe, object, embed, base").count(), 0);
	assert.equal(await page.locator("script").count(), 2);
	assert.deepEqual(page.wrong, []);
	await page.context().close();
};

/* The policy is not only written there: the browser holds the page to it. */
const policy = async (browser) => {
	const page = await open(browser, "web/story.html");
	const tried = await page.evaluate(async () => {
		const broken = [];
		const outcome = async (name, action) => {
			try {
				await action();
				return `${name} was possible`;
			} catch {
				return null;
			}
		};

		document.addEventListener("securitypolicyviolation", (e) =>
			broken.push(e.effectiveDirective));
		const image = new Image();
		image.src = "http://127.0.0.1:9/x.png";
		const results = [
			await outcome("fetch", () => fetch("http://127.0.0.1:9/")),
			await outcome("innerHTML", () => {
				document.createElement("div").innerHTML = "<b>x</b>";
			}),
			await outcome("script", () => {
				document.body.append(Object.assign(document.createElement("script"),
					{ text: "window.pwned = 1" }));
			}),
		];

		await new Promise((resolve) => setTimeout(resolve, 100));
		return { results: results.filter(Boolean), broken, pwned: window.pwned };
	});

	assert.deepEqual(tried.results, []);
	assert.equal(tried.pwned, undefined);
	assert.ok(tried.broken.includes("connect-src") && tried.broken.includes("img-src"),
		tried.broken.join());
	assert.ok(!page.wrong.some((w) => w.startsWith("request:") && !w.includes("127.0.0.1")));
	await page.context().close();
};

/* ---- Everything that JSON has ------------------------------------------------------------------ */

const sameAsJson = async (browser) => {
	const page = await open(browser, "web/story.html");
	const json = JSON.parse(readFileSync(join(root, "build/web/story.json"), "utf8"));

	assert.deepEqual(asJson(await modelOf(page)), json);
	await page.context().close();
};

/* ---- Using it ------------------------------------------------------------------------------- */

const search = async (browser) => {
	const page = await open(browser, "web/story.html");

	await page.getByLabel("Search", { exact: true }).fill("httpd");
	assert.equal(await listed(page), "80 of 404 are listed.");
	await page.getByLabel("Search", { exact: true }).fill("nobody");
	assert.equal(await listed(page), "0 of 404 are listed.");
	await page.getByRole("button", { name: "Show all" }).click();
	await page.getByLabel("Only").selectOption("stall");
	assert.equal(await listed(page), "6 of 404 are listed.");
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
	assert.equal(await listed(page), "12 of 404 are listed.");
	await page.locator(".finding a", { hasText: "See the numbers" }).first().click();
	assert.match(page.url(), /#section-close_wait$/);
	await page.context().close();
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
	const drawn = () => page.evaluate(() => new Promise((resolve) =>
		requestAnimationFrame(() => requestAnimationFrame(resolve))));

	await drawn();
	const light = await pixels(page);

	assert.ok(light.includes("213,94,0") && light.includes("230,159,0"), "no CLOSE_WAIT, FIN_WAIT_2");
	await page.getByRole("button", { name: "Dark colours" }).click();
	await drawn();
	assert.ok(!(await pixels(page)).includes("213,94,0"), "drawn in the colours of the other theme");
	await page.context().close();
};

const zooms = async (browser) => {
	const page = await open(browser, "web/story.html");
	const widest = () => page.locator(".rows-canvas").evaluate((canvas) =>
		canvas.toDataURL().length + canvas.width);
	const before = await widest();

	await page.getByRole("button", { name: "Zoom in" }).click();
	await page.getByRole("button", { name: "Zoom in" }).click();
	await page.waitForTimeout(100);
	assert.notEqual(await widest(), before);
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

const prints = async (browser) => {
	const page = await open(browser, "web/story.html", { colorScheme: "dark" });
	const pdf = await page.pdf({ format: "A4" });

	assert.ok(pdf.length > 50000);
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

const tests = {
	...Object.fromEntries(Object.entries(incidents).map(([name, first]) =>
		[`incident ${name}`, incident(name, first)])),
	"light and dark, wide and narrow": looks,
	"hostile names are text": hostile,
	"the policy is kept": policy,
	"everything that JSON has": sameAsJson,
	"search and group": search,
	"from finding to picture": findingToPicture,
	"keyboard": keyboard,
	"colours of the states": colours,
	"zoom": zooms,
	"tables": tables,
	"print": prints,
	"nothing seen": nothing,
	"10,000 connections": big(10000, 1.5e6),
	"80,000 connections": big(80000, 12e6),
};

const run = async () => {
	const browser = await launch();
	const wanted = process.argv.slice(2);
	let failed = 0;
	let passed = 0;

	for (const [name, test] of Object.entries(tests)) {
		if (wanted.length && !wanted.some((w) => name.includes(w)))
			continue;
		const start = Date.now();

		try {
			await test(browser);
			passed++;
			console.log(`  ok ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
		} catch (error) {
			failed++;
			console.log(`  FAIL ${name}: ${error.message}`);
		}
	}
	await browser.close();
	console.log(`${passed} passed, ${failed} failed`);
	process.exitCode = failed ? 1 : 0;
};

await run();
