// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections one by one, as columns (user/report/lives_json.c): what can be asked of row i.
 */
import { clock } from "./clock.js";
import { count, duration } from "./format.js";
import { derive, model } from "./model.js";

let lives;
let rows;

export const FLAG_GAP = 1 << 6;
const FLAG_LISTENERS_PID = 1 << 12;
const FLAG_SINCE_BEFORE = 1 << 7;
const FLAG_THREE_SEGMENT = 1 << 5;
export const STEP_AT_LEAST = 1;
const STEP_ORPHANED = 2;
export const STEP_AT_MOST = 4;
const OPEN = 0;

export let total, seen, inTrouble, spanUs, losses, troubles;
let paths;   /* each once */
let dwellAt; /* where the dwells of each row begin */
let texts;   /* of each row, for the search; made when first asked for */

/* Of a path: its states by name, and the edges it takes. */
const pathOf = (steps) => {
	const names = steps.map(([state]) => lives.states[state]);
	const first = names[0] === "SYN_RECV" ? "LISTEN" : "CLOSE";
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
	troubles = lives?.troubles ?? [];
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
export const isOpen = (i) => rows.end[i] === OPEN;
export const endName = (i) => lives.ends[rows.end[i]][0];
export const endWords = (i) => lives.ends[rows.end[i]][1];
export const lastState = (i) => path(i).names[path(i).names.length - 1];
export const hasGap = (i) => (rows.flags[i] & FLAG_GAP) !== 0;
export const isSinceBefore = (i) => (rows.flags[i] & FLAG_SINCE_BEFORE) !== 0;

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
	rows.role[i] === 2 ?
		`${lives.addresses[rows.remote[i]] ?? "?"} to :${rows.lport[i]}` : remote(i);

/* Who connected to whom: "10.0.0.1:40600 → :80" is one that came here. */
export const pair = (i) => {
	const port = rows.lport[i] ? `:${rows.lport[i]} ` : "";

	if (rows.role[i] === 2)
		return `${remote(i)} → ${port}`;
	return `${port}${rows.role[i] === 1 ? "→" : "–"} ${remote(i)}`;
};

export const isInTrouble = (i) => rows.troubles[i] !== 0;

export const worst = (i) => {
	const bits = rows.troubles[i];

	return bits ? lives.troubles[31 - Math.clz32(bits & -bits)][1] : "nothing wrong";
};

export const troublesOf = (i) =>
	lives.troubles.filter((_, bit) => rows.troubles[i] & (1 << bit)).map((t) => t[1]);

const stepText = (i, step) => {
	const flags = path(i).flags[step];
	const orphaned = flags & STEP_ORPHANED ? " (orphaned)" : "";
	const both = STEP_AT_LEAST | STEP_AT_MOST;

	if ((flags & both) === both)
		return `?${orphaned}`;
	return (flags & STEP_AT_LEAST ? ">= " : flags & STEP_AT_MOST ? "<= " : "") +
		duration(dwell(i, step) * 1000) + orphaned;
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

const roles = [null, "connected", "accepted"];
const closers = [null, "this side", "the other side", "both at once"];

const moment = (us) =>
	[`${duration(us * 1000)} after the start`, clock(us)].filter(Boolean).join(", ");

/* What the picture does not show: pairs of words. */
export const facts = (i) => [
	["Process", process(i) + (rows.flags[i] & FLAG_LISTENERS_PID ? " (the listener's)" : "")],
	["Local", local(i)],
	["Remote", remote(i)],
	["This side", roles[rows.role[i]]],
	["Began", isSinceBefore(i) ? "before finwait" : moment(start(i))],
	["Ended", isOpen(i) ? null : moment(until(i))],
	["End", endWords(i)],
	["Closed first", closers[rows.by[i]]],
	["Three-segment close", rows.flags[i] & FLAG_THREE_SEGMENT ? "yes" : null],
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
	const bit = filter.trouble ? 1 << troubles.findIndex((t) => t[0] === filter.trouble) : 0;
	const found = [];

	for (let i = 0; i < total; i++) {
		if (bit && !(rows.troubles[i] & bit))
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
