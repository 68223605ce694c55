// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections one by one, as columns (user/report/lives_json.c): what can be asked of row i.
 */
import { clock } from "./clock.js";
import { count, duration } from "./format.js";
import { derive, model } from "./model.js";

let lives;
let rows;

export let total, seen, inTrouble, spanUs, losses, troubles;
let ends;
let paths;   /* each once */
let dwellAt; /* where the dwells of each row begin */
let texts;   /* of each row, for the search; made when first asked for */

/* Of a path: its states by name, and the edges it takes. */
const pathOf = (steps) => {
	const names = steps.map(([state]) => lives.states[state]);
	const first = lives.states[lives.origins[steps[0]?.[0] ?? 0]];
	const edges = new Set();

	names.forEach((name, i) => i && edges.add(`${names[i - 1]}>${name}`));
	return { names, flags: steps.map((s) => s[1]), edges, first: `${first}>${names[0]}` };
};

derive(() => {
	({ lives } = model);
	rows = lives?.rows;
	total = rows ? rows.id.length : 0;
	seen = lives?.seen ?? 0;
	inTrouble = lives?.in_trouble ?? 0;
	spanUs = lives?.span_us ?? 0;
	losses = lives?.losses ?? [];
	({ troubles, ends } = model.lists);
	paths = (lives?.paths ?? []).map(pathOf);
	texts = new Array(total);
	dwellAt = new Uint32Array(total + 1);
	for (let i = 0; i < total; i++)
		dwellAt[i + 1] = dwellAt[i] + paths[rows.path[i]].names.length;
});

export const id = (i) => rows.id[i];
export const withId = (wanted) => rows.id.indexOf(wanted);
export const start = (i) => rows.start[i];
export const path = (i) => paths[rows.path[i]];
export const dwell = (i, step) => rows.dwell[dwellAt[i] + step];
export const isOpen = (i) => rows.end[i] === lives.open;
export const endName = (i) => ends[rows.end[i]][0];
export const endWords = (i) => ends[rows.end[i]][1];
export const endIsExpected = (i) => ends[rows.end[i]][4];
export const lastState = (i) => path(i).names[path(i).names.length - 1];

/* The model names the bits: a name that it does not have is a mistake here. */
const isSet = (names, bits, name) => {
	const bit = names.indexOf(name);

	if (bit < 0)
		throw new Error(`no flag ${name}`);
	return (bits >> bit) % 2 !== 0;
};

const has = (i, name) => isSet(lives.flags, rows.flags[i], name);
export const stepHas = (i, step, name) => isSet(lives.step_flags, path(i).flags[step], name);
export const hasGap = (i) => has(i, "gap");
export const isSinceBefore = (i) => has(i, "since_before");
const isAccepted = (i) => lives.roles[rows.role[i]][0] === "passive";
const isConnected = (i) => lives.roles[rows.role[i]][0] === "active";

export const until = (i) => {
	let us = rows.start[i];

	for (let k = dwellAt[i]; k < dwellAt[i + 1]; k++)
		us += rows.dwell[k];
	return us;
};

export const earliest = () => {
	let us = 0;

	for (let i = 0; i < total; i++)
		us = Math.min(us, rows.start[i]);
	return us;
};

export const process = (i) => {
	const p = lives.processes[rows.process[i]];

	return p ? `${p[0]}/${p[1]}` : "unknown process";
};

const endpoint = (address, port) => {
	const text = lives.addresses[address] ?? "?";

	return `${text.includes(":") ? `[${text}]` : text}:${port || "?"}`;
};

export const local = (i) => endpoint(rows.local[i], rows.lport[i]);
export const remote = (i) => endpoint(rows.remote[i], rows.rport[i]);
/* Whom a person would call the peer: of who came to us the port says nothing. */
export const peer = (i) =>
	isAccepted(i) ?
		`${lives.addresses[rows.remote[i]] ?? "?"} to :${rows.lport[i]}` : remote(i);

/* Who connected to whom: "10.0.0.1:40600 → :80" is one that came here. */
export const pair = (i) => {
	const port = rows.lport[i] ? `:${rows.lport[i]} ` : "";

	if (isAccepted(i))
		return `${remote(i)} → ${port}`;
	return `${port}${isConnected(i) ? "→" : "–"} ${remote(i)}`;
};

export const isInTrouble = (i) => rows.troubles[i] !== 0;

export const worst = (i) => {
	const bits = rows.troubles[i];

	return bits ? troubles[31 - Math.clz32(bits & -bits)][1] : "nothing wrong";
};

export const troublesOf = (i) =>
	troubles.filter((_, bit) => (rows.troubles[i] >> bit) % 2 !== 0).map((t) => t[1]);

const stepText = (i, step) => {
	const orphaned = stepHas(i, step, "orphaned") ? " (orphaned)" : "";
	const [atLeast, atMost] = ["at_least", "at_most"].map((name) => stepHas(i, step, name));

	if (atLeast && atMost)
		return `?${orphaned}`;
	return (atLeast ? ">= " : atMost ? "<= " : "") + duration(dwell(i, step) * 1000) + orphaned;
};

/* [["SYN_SENT", "0.06 ms"], ...] */
export const steps = (i) => path(i).names.map((name, step) => [name, stepText(i, step)]);

/* What it was at that moment, in words. */
export const at = (i, us) => {
	let since = rows.start[i];

	if (us < since)
		return isSinceBefore(i) ? "before finwait" : "not yet begun";
	for (const [step, [state, text]] of steps(i).entries()) {
		since += dwell(i, step);
		if (us < since)
			return `${state} ${text}`;
	}
	return isOpen(i) ? "" : `over: ${endWords(i)}`;
};

export const sentence = (i) =>
	`${process(i)}, ${local(i)} to ${remote(i)}: ` +
	`${steps(i).map((s) => s.join(" ")).join(", ")}; ${endWords(i)}`;

const moment = (us) =>
	[`${duration(us * 1000)} after the start`, clock(us)].filter(Boolean).join(", ");

/* What the picture does not show: pairs of words. */
export const facts = (i) => [
	["Process", process(i) + (has(i, "owner_listens") ? " (the listener's)" : "")],
	["Local", local(i)],
	["Remote", remote(i)],
	["This side", lives.roles[rows.role[i]][1]],
	["Began", isSinceBefore(i) ? "before finwait" : moment(start(i))],
	["Ended", isOpen(i) ? null : moment(until(i))],
	["End", endWords(i)],
	["Closed first", lives.closers[rows.by[i]][1]],
	["Three-segment close", has(i, "three_segment") ? "yes" : null],
	["Sent, received", rows.sent[i] + rows.received[i] ?
		`${count(rows.sent[i])} B, ${count(rows.received[i])} B` : null],
	["Retransmissions", rows.retransmits[i] ? count(rows.retransmits[i]) : null],
	["TIME_WAIT restarts", rows.restarts[i] ? count(rows.restarts[i]) : null],
	["Control group", lives.cgroups[rows.cgroup[i]]],
	["Network namespace", lives.namespaces.find((n) => n[0] === rows.netns[i])?.[1] ??
		String(rows.netns[i])],
	["Notable", troublesOf(i).join(", ")],
].filter(([, value]) => value);

/* ---- Which ------------------------------------------------------------------------------- */

const textOf = (i) =>
	(texts[i] ??= [process(i), local(i), remote(i), endWords(i), lives.cgroups[rows.cgroup[i]],
		       `id:${rows.id[i]}`].join(" ").toLowerCase());

const tookEdge = (i, edge) => {
	const p = path(i);

	if (edge.from === "TIME_WAIT" && edge.to === "TIME_WAIT")
		return rows.restarts[i] > 0;
	if (edge.to === "CLOSE")
		return !isOpen(i) && lastState(i) === edge.from &&
			(!edge.ends || edge.ends.includes(endName(i)));
	if (p.first === `${edge.from}>${edge.to}`)
		return !isSinceBefore(i);
	return p.edges.has(`${edge.from}>${edge.to}`);
};

const isOf = (i, { process: name, remote: peer, lport }) =>
	(!name || process(i) === name) && (!lport || rows.lport[i] === lport) &&
	(!peer || remote(i) === peer || lives.addresses[rows.remote[i]] === peer);

export const matching = (filter) => {
	const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
	const bit = troubles.findIndex((t) => t[0] === filter.trouble);
	const found = [];

	for (let i = 0; i < total; i++) {
		if (filter.trouble && (rows.troubles[i] >> bit) % 2 === 0)
			continue;
		if (filter.state && !path(i).names.includes(filter.state))
			continue;
		if (filter.edge && !tookEdge(i, filter.edge))
			continue;
		if (filter.who && !isOf(i, filter.who))
			continue;
		if (words.length && !words.every((word) => textOf(i).includes(word)))
			continue;
		found.push(i);
	}
	return found;
};
