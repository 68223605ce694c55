// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that finwait report -f html writes its file whole or not at all, and says what is wrong with what
 * it was asked for.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./browser.js";

const finwait = join(root, "finwait");

/* @wanted: status, and words of its complaint. */
const refused = (args, status, ...wanted) => {
	const result = spawnSync(finwait, args, { encoding: "utf8", timeout: 30000 });

	assert.equal(result.status, status, `${args.join(" ")}: ${result.status}: ${result.stderr}`);
	for (const words of wanted)
		assert.ok(result.stderr.includes(words), `${args.join(" ")}: ${result.stderr}`);
	assert.equal(result.stdout, "");
};

const refusals = async () => {
	refused(["report", "1s", "-f", "html", "--interval", "1s"], 2, "--interval", "-o");
	refused(["report", "1s", "-f", "pdf"], 2, "pdf", "text, json or html");
	refused(["timeline", "-f", "html"], 2, "html", "text or json");
	refused(["report", "1s", "-f", "html", "--connections", "0"], 2, "connections");
	refused(["report", "1s", "-f", "html", "-o", "/nonexistent/r.html"], 1, "/nonexistent/r.html",
		"No such file or directory");
	refused(["report", "1s", "-f", "html", "-o", "/proc"], 1, "/proc");
};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Whoever opens the file while it is replaced has a whole page. */
const intervals = async () => {
	const folder = mkdtempSync(join(tmpdir(), "finwait-web-"));
	const file = join(folder, "r.html");
	const child = spawn(finwait, ["report", "20s", "-f", "html", "-o", file, "--interval", "300ms"],
		{ stdio: "ignore" });
	const ended = new Promise((resolve) => child.on("exit", resolve));
	const inodes = new Set();
	const deadline = Date.now() + 15000;

	try {
		while (inodes.size < 3 && Date.now() < deadline) {
			await sleep(20);
			if (!readdirSync(folder).includes("r.html"))
				continue;
			assert.ok(readFileSync(file, "utf8").endsWith("</html>\n"), "a page in parts");
			inodes.add(statSync(file).ino);
		}
		assert.ok(inodes.size >= 3, `replaced ${inodes.size} times`);
		child.kill("SIGTERM");
		assert.equal(await ended, 0);
		assert.deepEqual(readdirSync(folder), ["r.html"]);
		assert.equal(statSync(file).mode & 0o077, 0o044, "who may read it");
	} finally {
		child.kill("SIGKILL");
		rmSync(folder, { recursive: true });
	}
};

export const command = { "refusals": refusals, "--interval replaces the file": intervals };
