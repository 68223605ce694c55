// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the states stand: RFC 9293's figure 5. Two sizes, wide and narrow, of the same picture; only the
 * wide one has room for words.
 *
 *	              CLOSED
 *	              LISTEN
 *	SYN_RECV                 SYN_SENT
 *	            ESTABLISHED
 *	FIN_WAIT_1               CLOSE_WAIT
 *	              CLOSING
 *	FIN_WAIT_2               LAST_ACK
 *	             TIME_WAIT
 *	                         CLOSED
 */
const sizes = {
	wide: { width: 960, height: 700, left: 225, middle: 480, right: 735, node: [156, 50],
		small: [104, 32], words: true, rows: [28, 104, 192, 288, 386, 452, 520, 596, 660] },
	narrow: { width: 380, height: 704, left: 55, middle: 192, right: 325, node: [108, 50],
		  small: [92, 30], words: false, rows: [24, 92, 172, 266, 366, 446, 520, 604, 680] },
};

const places = {
	BEGIN: ["middle", 0], LISTEN: ["middle", 1], SYN_RECV: ["left", 2], SYN_SENT: ["right", 2],
	ESTABLISHED: ["middle", 3], FIN_WAIT_1: ["left", 4], CLOSE_WAIT: ["right", 4],
	CLOSING: ["middle", 5], FIN_WAIT_2: ["left", 6], LAST_ACK: ["right", 6],
	TIME_WAIT: ["middle", 7], CLOSE: ["right", 8],
};

/*
 * from, to, side it leaves and side it arrives (t r b l, with a shift along it, -1 to 1), what happens,
 * the same as short as the RFC's figure has it and where that stands from the middle of the edge.
 * rfc: only in the RFC. An end that the RFC's figure does not have (lists.ends) is drawn as an exit.
 */
export const edges = [
	{ from: "CLOSE", to: "LISTEN", a: ["BEGIN", "b", -0.4], b: ["LISTEN", "t", -0.4],
	  what: "listen()", say: ["listen()", -12, 4, "end"] },
	{ from: "LISTEN", to: "CLOSE", a: ["LISTEN", "t", 0.4], b: ["BEGIN", "b", 0.4],
	  what: "close() of a listener", say: ["close()", 12, 4, "start"] },
	{ from: "CLOSE", to: "SYN_SENT", a: ["BEGIN", "r", 0.4], b: ["SYN_SENT", "t", -0.15],
	  what: "connect(): SYN sent", say: ["connect() / SYN", -26, 22, "end"] },
	{ from: "SYN_SENT", to: "CLOSE", a: ["SYN_SENT", "t", 0.5], b: ["BEGIN", "r", -0.4],
	  what: "close() before an answer came", say: ["close()", 16, -6, "start"] },
	{ from: "LISTEN", to: "SYN_RECV", a: ["LISTEN", "l", 0.4], b: ["SYN_RECV", "t", 0.15],
	  what: "SYN received: SYN, ACK sent", say: ["SYN / SYN, ACK", 26, 24, "start"] },
	{ from: "SYN_RECV", to: "LISTEN", a: ["SYN_RECV", "t", -0.5], b: ["LISTEN", "l", -0.4],
	  what: "RFC 9293 has it; in Linux the listener never leaves LISTEN, and an RST drops the " +
		"request socket", say: ["RST", -16, -6, "end"], rfc: true },
	{ from: "LISTEN", to: "SYN_SENT", a: ["LISTEN", "r", 0.4], b: ["SYN_SENT", "t", -0.75],
	  what: "RFC 9293 has it; in Linux a listener cannot send", say: ["send() / SYN", -30, 26, "end"],
	  rfc: true },
	{ from: "SYN_SENT", to: "SYN_RECV", a: ["SYN_SENT", "l", 0], b: ["SYN_RECV", "r", 0],
	  what: "SYN received: both connect at once", say: ["SYN / SYN, ACK", 0, 18, "middle"] },
	{ from: "SYN_SENT", to: "ESTABLISHED", a: ["SYN_SENT", "b", -0.3], b: ["ESTABLISHED", "r", -0.4],
	  what: "SYN, ACK received: ACK sent", say: ["SYN, ACK / ACK", 20, 20, "start"] },
	{ from: "SYN_RECV", to: "ESTABLISHED", a: ["SYN_RECV", "b", 0.3], b: ["ESTABLISHED", "l", -0.4],
	  what: "ACK received", say: ["ACK", -22, 20, "end"] },
	{ from: "SYN_RECV", to: "FIN_WAIT_1", a: ["SYN_RECV", "b", -0.6], b: ["FIN_WAIT_1", "t", -0.6],
	  what: "close() before the handshake is complete: FIN sent",
	  say: ["close() / FIN", -10, 4, "end"] },
	{ from: "ESTABLISHED", to: "FIN_WAIT_1", a: ["ESTABLISHED", "l", 0.5], b: ["FIN_WAIT_1", "t", 0.4],
	  what: "close() or shutdown(): FIN sent", say: ["close() / FIN", 24, 24, "start"] },
	{ from: "ESTABLISHED", to: "CLOSE_WAIT", a: ["ESTABLISHED", "r", 0.5], b: ["CLOSE_WAIT", "t", -0.4],
	  what: "FIN received: ACK sent", say: ["FIN / ACK", -24, 24, "end"] },
	{ from: "FIN_WAIT_1", to: "FIN_WAIT_2", a: ["FIN_WAIT_1", "b", -0.4], b: ["FIN_WAIT_2", "t", -0.4],
	  what: "ACK of our FIN received", say: ["ACK of FIN", -14, 24, "end"] },
	{ from: "FIN_WAIT_1", to: "CLOSING", a: ["FIN_WAIT_1", "r", -0.3], b: ["CLOSING", "t", -0.4],
	  what: "FIN received, crossing ours: ACK sent", say: ["FIN / ACK", 30, -12, "middle"] },
	{ from: "FIN_WAIT_1", to: "TIME_WAIT", a: ["FIN_WAIT_1", "r", 0.5], b: ["TIME_WAIT", "l", -0.5],
	  what: "FIN received with the ACK of ours: ACK sent", say: ["FIN, ACK / ACK", 24, 46, "start"] },
	{ from: "FIN_WAIT_2", to: "TIME_WAIT", a: ["FIN_WAIT_2", "b", 0.3], b: ["TIME_WAIT", "l", 0.4],
	  what: "FIN received: ACK sent", say: ["FIN / ACK", -20, 20, "end"] },
	{ from: "CLOSING", to: "TIME_WAIT", a: ["CLOSING", "b", 0], b: ["TIME_WAIT", "t", 0],
	  what: "ACK of our FIN received", say: ["ACK of FIN", 12, 22, "start"] },
	{ from: "CLOSE_WAIT", to: "LAST_ACK", a: ["CLOSE_WAIT", "b", 0], b: ["LAST_ACK", "t", 0],
	  what: "close(): FIN sent", say: ["close() / FIN", 14, 24, "start"] },
	{ from: "LAST_ACK", to: "CLOSE", a: ["LAST_ACK", "b", 0], b: ["CLOSE", "t", 0],
	  what: "ACK of our FIN received", say: ["ACK of FIN", 14, 24, "start"] },
	{ from: "TIME_WAIT", to: "CLOSE", a: ["TIME_WAIT", "b", 0.6], b: ["CLOSE", "l", 0],
	  what: "2MSL timer", say: ["2MSL timer", 0, 20, "middle"] },
];

export const small = new Set(["BEGIN", "CLOSE", "LISTEN"]);

/* Where it is narrow the way to TIME_WAIT comes through between CLOSING and FIN_WAIT_2. */
const aside = { CLOSING: 24, TIME_WAIT: 16 };

const center = (size, name) => {
	const [column, row] = places[name];

	return [size[column] + (size.words ? 0 : aside[name] ?? 0), size.rows[row]];
};

export const boxOf = (size, name) => {
	const [w, h] = small.has(name) ? size.small : size.node;
	const [x, y] = center(size, name);

	return { x: x - w / 2, y: y - h / 2, w, h };
};

const sides = { t: [0, -1], b: [0, 1], l: [-1, 0], r: [1, 0] };

const port = (size, [name, side, shift]) => {
	const box = boxOf(size, name);
	const [dx, dy] = sides[side];

	return {
		x: box.x + box.w / 2 * (1 + dx + (dy ? shift : 0)),
		y: box.y + box.h / 2 * (1 + dy + (dx ? shift : 0)),
		dx, dy,
	};
};

const curve = (a, b, bend, gap) => {
	const end = { x: b.x + b.dx * gap, y: b.y + b.dy * gap };
	const c1 = { x: a.x + a.dx * bend, y: a.y + a.dy * bend };
	const c2 = { x: end.x + b.dx * bend, y: end.y + b.dy * bend };
	const at = (k) => (a[k] + 3 * c1[k] + 3 * c2[k] + end[k]) / 8;

	return {
		d: `M${a.x},${a.y}C${c1.x},${c1.y} ${c2.x},${c2.y} ${end.x},${end.y}`,
		middle: { x: at("x"), y: at("y") },
		tip: b,
	};
};

/* The way of an edge, @gap before its end for the head of the arrow; and the point half-way. */
export const route = (size, edge, gap) => {
	const a = port(size, edge.a);
	const b = port(size, edge.b);

	return curve(a, b, Math.hypot(b.x - a.x, b.y - a.y) * 0.3, gap);
};

const sideways = (box, dx, gap) => {
	const x = dx > 0 ? box.x + box.w : box.x;
	const y = box.y + box.h / 2;

	return { d: `M${x},${y}H${x + dx * (26 - gap)}`, tip: { x: x + dx * 26, y, dx: -dx, dy: 0 },
		 label: { x: x + dx * 32, y: y + 4, anchor: dx > 0 ? "start" : "end" } };
};

/* @aside: 1 or -1, which side of the arrow its words stand; 0: there is room for the number only. */
const downwards = (box, share, gap, aside) => {
	const x = box.x + box.w * share;
	const y = box.y + box.h;

	return { d: `M${x},${y}V${y + 20 - gap}`, tip: { x, y: y + 20, dx: 0, dy: -1 },
		 label: aside ? { x: x + 8 * aside, y: y + 20, anchor: aside > 0 ? "start" : "end" } :
			 { x, y: y + 34, anchor: "middle" } };
};

/* A short arrow out of a state, for ends that are not in the RFC's figure. */
export const exit = (size, name, gap) => {
	const box = boxOf(size, name);
	const column = places[name][0];

	if (size.words && column !== "middle")
		return sideways(box, column === "right" ? 1 : -1, gap);
	if (name === "ESTABLISHED")
		return downwards(box, 0.5, gap, size.words ? 1 : 0);
	if (column === "right" || name === "CLOSING")
		return downwards(box, 0.85, gap, size.words ? 1 : 0);
	return downwards(box, 0.12, gap, size.words ? -1 : 0);
};

export const sizeFor = (width) => (width < 620 ? sizes.narrow : sizes.wide);
