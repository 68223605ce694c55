// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rows of the list: numbers of connections, and headings of groups between them.
 */
import * as lives from "./lives.js";

const length = (i) => lives.until(i) - lives.start(i);

/* The report has them worst first; those with which nothing is wrong are in no order there. */
const worstFirst = (a, b) => {
	const bad = lives.isInTrouble(a);

	if (bad !== lives.isInTrouble(b))
		return bad ? -1 : 1;
	return bad ? a - b : lives.start(a) - lives.start(b);
};

export const orders = {
	worst: ["Worst first", worstFirst],
	start: ["In order of time", (a, b) => lives.start(a) - lives.start(b)],
	longest: ["Longest first", (a, b) => length(b) - length(a)],
};

export const groupings = {
	none: ["Not grouped", null],
	process: ["By process", lives.process],
	peer: ["By peer", lives.peer],
	trouble: ["By what is wrong", lives.worst],
	end: ["By how it ended", lives.endWords],
};

/* Groups come in the order of their first row. */
const grouped = (found, nameOf) => {
	const groups = new Map();
	const items = [];

	for (const i of found) {
		const name = nameOf(i);

		if (!groups.has(name))
			groups.set(name, []);
		groups.get(name).push(i);
	}
	for (const [name, members] of groups) {
		items.push({ name, count: members.length });
		for (const i of members)
			items.push(i);
	}
	return items;
};

export const listing = (filter, order, grouping) => {
	const found = lives.matching(filter);
	const nameOf = groupings[grouping][1];

	found.sort(orders[order][1]);
	return { found: found.length, items: nameOf ? grouped(found, nameOf) : found };
};
