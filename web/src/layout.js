// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the states stand: RFC 9293's figure 5. Two sizes, wide and narrow, of the same picture.
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
	wide: { width: 760, height: 650, left: 140, middle: 380, right: 620, node: [156, 50],
		small: [104, 32], rows: [28, 100, 182, 272, 366, 430, 490, 562, 622] },
	narrow: { width: 380, height: 700, left: 56, middle: 190, right: 324, node: [110, 50],
		  small: [92, 30], rows: [24, 92, 172, 266, 366, 446, 520, 600, 676] },
};

const places = {
	BEGIN: ["middle", 0], LISTEN: ["middle", 1], SYN_RECV: ["left", 2], SYN_SENT: ["right", 2],
	ESTABLISHED: ["middle", 3], FIN_WAIT_1: ["left", 4], CLOSE_WAIT: ["right", 4],
	CLOSING: ["middle", 5], FIN_WAIT_2: ["left", 6], LAST_ACK: ["right", 6],
	TIME_WAIT: ["middle", 7], CLOSE: ["right", 8],
};

/*
 * from, to, side it leaves and side it arrives (t r b l, with a shift along it, -1 to 1), what happens.
 * rfc: only in the RFC. Of the ends, those listed are the regular ones; any other is drawn as an exit.
 */
export const edges = [
	{ from: "CLOSE", to: "LISTEN", a: ["BEGIN", "b", 0], b: ["LISTEN", "t", 0], what: "listen()" },
	{ from: "CLOSE", to: "SYN_SENT", a: ["BEGIN", "r", 0], b: ["SYN_SENT", "t", 0], what: "connect(): SYN sent" },
	{ from: "LISTEN", to: "SYN_RECV", a: ["LISTEN", "l", 0], b: ["SYN_RECV", "t", 0], what: "SYN received: SYN, ACK sent" },
	{ from: "LISTEN", to: "SYN_SENT", a: ["LISTEN", "r", 0], b: ["SYN_SENT", "t", -0.6], what: "RFC 9293 has it; in Linux a listener cannot send", rfc: true },
	{ from: "SYN_SENT", to: "SYN_RECV", a: ["SYN_SENT", "l", 0], b: ["SYN_RECV", "r", 0], what: "SYN received: both connect at once" },
	{ from: "SYN_SENT", to: "ESTABLISHED", a: ["SYN_SENT", "b", -0.3], b: ["ESTABLISHED", "r", -0.4], what: "SYN, ACK received: ACK sent" },
	{ from: "SYN_RECV", to: "ESTABLISHED", a: ["SYN_RECV", "b", 0.3], b: ["ESTABLISHED", "l", -0.4], what: "ACK received" },
	{ from: "SYN_RECV", to: "FIN_WAIT_1", a: ["SYN_RECV", "b", -0.45], b: ["FIN_WAIT_1", "t", -0.45], what: "close() before the handshake is complete: FIN sent" },
	{ from: "ESTABLISHED", to: "FIN_WAIT_1", a: ["ESTABLISHED", "l", 0.5], b: ["FIN_WAIT_1", "t", 0.4], what: "close() or shutdown(): FIN sent" },
	{ from: "ESTABLISHED", to: "CLOSE_WAIT", a: ["ESTABLISHED", "r", 0.5], b: ["CLOSE_WAIT", "t", -0.4], what: "FIN received: ACK sent" },
	{ from: "FIN_WAIT_1", to: "FIN_WAIT_2", a: ["FIN_WAIT_1", "b", -0.3], b: ["FIN_WAIT_2", "t", -0.3], what: "ACK of our FIN received" },
	{ from: "FIN_WAIT_1", to: "CLOSING", a: ["FIN_WAIT_1", "r", -0.3], b: ["CLOSING", "t", -0.4], what: "FIN received, crossing ours: ACK sent" },
	{ from: "FIN_WAIT_1", to: "TIME_WAIT", a: ["FIN_WAIT_1", "r", 0.5], b: ["TIME_WAIT", "l", -0.5], what: "FIN received with the ACK of ours: ACK sent" },
	{ from: "FIN_WAIT_2", to: "TIME_WAIT", a: ["FIN_WAIT_2", "b", 0.3], b: ["TIME_WAIT", "l", 0.4], what: "FIN received: ACK sent" },
	{ from: "CLOSING", to: "TIME_WAIT", a: ["CLOSING", "b", 0], b: ["TIME_WAIT", "t", 0], what: "ACK of our FIN received" },
	{ from: "CLOSE_WAIT", to: "LAST_ACK", a: ["CLOSE_WAIT", "b", 0], b: ["LAST_ACK", "t", 0], what: "close(): FIN sent" },
	{ from: "LAST_ACK", to: "CLOSE", a: ["LAST_ACK", "b", 0], b: ["CLOSE", "t", 0], what: "ACK of our FIN received", ends: ["last_ack"] },
	{ from: "TIME_WAIT", to: "CLOSE", a: ["TIME_WAIT", "b", 0.5], b: ["CLOSE", "l", 0], what: "2MSL timer", ends: ["time_wait_expired"] },
];

export const small = new Set(["BEGIN", "CLOSE", "LISTEN"]);

/* Between CLOSING and FIN_WAIT_2 the way to TIME_WAIT comes through. */
const center = (size, name) => {
	const [column, row] = places[name];
	const aside = name === "CLOSING" && size === sizes.narrow ? 20 : 0;

	return [size[column] + aside, size.rows[row]];
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

/* A short arrow out of a state, for ends that are not in the RFC's figure. */
export const exit = (size, name, gap) => {
	const box = boxOf(size, name);
	const out = name === "ESTABLISHED" || name === "CLOSING" ? "r" : places[name][0][0];
	const sideways = size === sizes.wide && out !== "m" && name !== "ESTABLISHED";
	const dx = out === "r" ? 1 : -1;

	if (sideways) {
		const x = dx > 0 ? box.x + box.w : box.x;
		const y = box.y + box.h / 2;

		return { d: `M${x},${y}H${x + dx * (26 - gap)}`, tip: { x: x + dx * 26, y, dx: -dx, dy: 0 },
			 label: { x: x + dx * 32, y: y + 4, anchor: dx > 0 ? "start" : "end" } };
	}
	const x = box.x + box.w * (name === "ESTABLISHED" ? 0.5 : dx > 0 ? 0.85 : 0.15);
	const y = box.y + box.h;

	return { d: `M${x},${y}V${y + 18 - gap}`, tip: { x, y: y + 18, dx: 0, dy: -1 },
		 label: { x, y: y + 32, anchor: dx > 0 || out === "m" ? "middle" : "middle" } };
};

export const sizeFor = (width) => (width < 620 ? sizes.narrow : sizes.wide);
