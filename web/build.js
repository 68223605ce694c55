// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes dist/report.html of src/: one file, script and style in it, and a policy that allows these two
 * (by their hashes) and nothing else: no other script, no request.
 *
 *	node build.js			writes it
 *	node build.js --check		fails if dist/report.html is not what would be written
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "dist", "report.html");

const bundle = (file) => {
	const result = buildSync({
		entryPoints: [join(here, "src", file)],
		bundle: true,
		minify: true,
		write: false,
		metafile: true,
		format: "iife",
		charset: "ascii", // whatever encoding the file is read in, the script is the same
		target: ["chrome100", "firefox100", "safari15"],
		legalComments: "none",
		absWorkingDir: here,
	});

	return { text: result.outputFiles[0].text.trim(), inputs: Object.keys(result.metafile.inputs) };
};

/* Inside <script> and <style>: what would end them. The bundle has none, or the build fails. */
const checked = (text, end) => {
	if (text.toLowerCase().includes(end) || text.includes("<!--"))
		throw new Error(`the bundle contains ${end} or <!--`);
	return text;
};

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

/* Of what is really in the bundle: each licence once, below the packages that it covers. */
const licences = (inputs) => {
	const names = new Set(inputs.map((i) => /^node_modules\/((@[^/]+\/)?[^/]+)/.exec(i)?.[1]));
	const texts = new Map();

	for (const name of [...names].filter(Boolean).sort()) {
		const folder = join(here, "node_modules", name);
		const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
		const text = readFileSync(join(folder, "LICENSE"), "utf8").trim();

		texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`]);
	}
	return escaped([...texts].map(([text, of]) => `${of.join(", ")}\n\n${text}`).join("\n\n\n"));
};

const build = () => {
	const code = bundle("main.js");
	const script = checked(code.text, "</script");
	const style = checked(bundle("style.css").text, "</style");
	const policy = [
		"default-src 'none'",
		`script-src ${hash(script)}`,
		`style-src ${hash(style)}`,
		"img-src data:",
		"base-uri 'none'",
		"form-action 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	].join("; ");
	const parts = { POLICY: policy, STYLE: style, SCRIPT: script, LICENCES: licences(code.inputs) };
	const page = readFileSync(join(here, "src", "page.html"), "utf8");

	return page.replace(/@([A-Z]+)@/g, (all, name) => parts[name] ?? all);
};

const page = build();
if (process.argv.includes("--check")) {
	if (readFileSync(target, "utf8") !== page) {
		console.error("web/dist/report.html is not what web/src makes: run web/build");
		process.exit(1);
	}
} else {
	writeFileSync(target, page);
	console.log(`web/dist/report.html: ${page.length} bytes`);
}
