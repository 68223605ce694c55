// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that nothing a host can be named or run as becomes markup or script, and that the browser holds
 * the page to its policy.
 */
import assert from "node:assert/strict";
import { listed } from "./ask.js";
import { open } from "./browser.js";

const hostile = async (browser) => {
	const page = await open(browser, "web/story.html");

	await page.getByRole("button", { name: "Table" }).click();
	await page.getByLabel("Search", { exact: true }).fill("onerr");
	assert.equal(await listed(page), "5 of 407 are listed.");
	await page.locator(".rows").press("ArrowDown");
	const detail = await page.locator(".detail").innerText();

	assert.ok(detail.includes("<img src=x onerr/666"), detail);
	assert.ok(detail.includes("/evil</script><img src=x onerror=alert(1)>"), detail);
	assert.ok((await page.locator(".panel, .finding, main").first().innerText())
		.includes("<img src=x onerr/666"));
	assert.equal(await page.title(), "finwait report of web-1<b>, 2026-11-22 23:59:30 UTC");
	assert.equal(await page.locator("h1").innerText(), "finwait report of web-1<b>");
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

export const safety = { "hostile names are text": hostile, "the policy is kept": policy };
