// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures that belong to a section: what its tables say, as bars.
 */
import { group } from "d3-array";
import { stacked } from "./bars.js";
import { block, h } from "./dom.js";
import { count, duration, plural } from "./format.js";
import * as lives from "./lives.js";
import { rows, table } from "./model.js";
import { timeWait } from "./timewait.js";

const MOST = 15; /* rows of a picture; the table below has all */
const S = 1e6; /* in microseconds */

/* A name that stands in several rows is followed by what tells them apart. */
const labels = (list, key, other) => {
	const by = group(list, (row) => row[key]);

	return (row) => (by.get(row[key]).length > 1 && row[other] ? `${row[key]} ${row[other]}` : row[key]);
};

const ages = [
	[1 * S, "below 1 s", "age-1"], [30 * S, "1 s to 30 s", "age-2"],
	[300 * S, "30 s to 5 m", "age-3"], [3600 * S, "5 m to 1 h", "age-4"],
	[Infinity, "1 h and more", "age-5"],
];

/* Open ones in CLOSE_WAIT: they are the worst, so the list has them all unless it is very short. */
const closeWaitByAge = () => {
	const open = [];

	for (let i = 0; i < lives.total; i++) {
		if (lives.isOpen(i) && lives.lastState(i) === "CLOSE_WAIT")
			open.push(i);
	}
	if (!open.length)
		return null;
	const age = (i) => lives.dwell(i, lives.path(i).names.length - 1);
	const band = (i) => ages.findIndex(([limit]) => age(i) < limit);
	const by = [...group(open, lives.process)].sort((a, b) => b[1].length - a[1].length);

	const present = ages.map((_, k) => k).filter((k) => open.some((i) => band(i) === k));

	return block("Open now, by process and age", stacked({
		parts: present.map((k) => ({ label: ages[k][1], color: ages[k][2] })),
		rows: by.slice(0, MOST).map(([label, list]) => ({
			label, values: present.map((k) => list.filter((i) => band(i) === k).length),
			text: `${count(list.length)}, oldest ${duration(1000 * Math.max(...list.map(age)))}`,
		})),
	}));
};

/* Columns of the table, with their colours. */
const stallParts = [
	["open", "series-2"], ["peer_fin", "series-3"], ["timeout", "series-7"], ["other", "series-1"],
];

const stallsByPeer = () => {
	const t = table("fin_wait_2", "by_peer");
	const all = rows(t);
	const parts = stallParts.filter(([key]) => all.some((row) => row[key]));
	const label = labels(all, "peer", "process");

	return all.length > 0 && block("Stalls by peer", stacked({
		parts: parts.map(([key, color]) => ({
			label: t.columns.find(([name]) => name === key)[1], color })),
		rows: all.slice(0, MOST).map((row) => ({
			label: label(row), values: parts.map(([key]) => row[key] ?? 0),
			text: row.longest !== undefined ? `longest ${duration(row.longest)}` : "",
		})),
	}));
};

const portParts = [
	{ label: "taken now", color: "series-7" },
	{ label: "more, when TIME_WAIT has filled up at this rate", color: "port-soon" },
];

const pressure = () => {
	const all = rows(table("ports", "by_destination")).slice(0, MOST);
	const label = (row) => `${row.process ?? "?"} to ${row.remote ?? "?"}`;
	const limit = () => h("span", { class: "bar-limit", title: "all ports" });

	return all.length > 0 && block("Port pressure: local ports towards one destination", stacked({
		parts: portParts,
		max: 100,
		rows: all.map((row) => {
			const used = Math.min(100, row.used ?? 0);
			const needed = Math.min(100, row.needed ?? 0);

			return { label: label(row), values: [used, Math.max(0, needed - used)], mark: limit(),
				 said: `${used.toFixed(1)} % taken, will use ${(row.needed ?? 0).toFixed(1)} %`,
				 text: `${used.toFixed(1)} %, will use ${(row.needed ?? 0).toFixed(1)} %` };
		}),
	}), h("p", { class: "remark" }, `A full bar is all ports that there are. ${
		plural(all.length, "destination")}.`));
};

export const picturesOf = {
	time_wait: timeWait,
	close_wait: () => [closeWaitByAge()],
	fin_wait_2: () => [stallsByPeer()],
	ports: () => [pressure()],
};
