// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the page of a report shows all of it, whatever is in it, asks for nothing, and can be used
 * by mouse, keyboard and screen reader, at 1280 and at 400 pixels, light and dark.
 *
 *	node tests/web/pages.js [WORD...]	only tests whose names have one of these words
 */
import { launch } from "./browser.js";
import { command } from "./command.js";
import { content } from "./content.js";
import { safety } from "./safety.js";
import { served } from "./served.js";
import { use } from "./use.js";

const tests = { ...content, ...safety, ...use, ...served, ...command };

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
