// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report, as user/report/report_html.c wrote it into the page, and ways to find things in it. In a
 * page that is served another one replaces it now and then (live.js).
 */
export let model = JSON.parse(document.getElementById("report").textContent);

const loaders = [];

/* @load makes what a module keeps of the model: now, and again when there is another. */
export const derive = (load) => {
	loaders.push(load);
	load();
};

export const replaceModel = (next) => {
	model = next;
	for (const load of loaders)
		load();
};

/* The states of connections, in the order of a life. A listener is none. */
export let STATES;

derive(() => {
	STATES = model.lists.states.filter((state) => state !== "LISTEN");
});

export const section = (key) => model.sections.find((s) => s.key === key);

export const table = (sectionKey, key) =>
	section(sectionKey)?.tables.find((t) => t.key === key);

/* The value of a fact, undefined if there is none. */
export const fact = (sectionKey, key) =>
	section(sectionKey)?.facts.find((f) => f[0] === key && f[2])?.[2][1];

/* The rows of a table as objects of values: { process: "curl/7", count: 12 }. Unknown: absent. */
export const rows = (t) =>
	(t?.rows ?? []).map((row) => {
		const object = {};

		t.columns.forEach(([key], i) => {
			if (row[i] && object[key] === undefined)
				object[key] = row[i][1];
		});
		return object;
	});
