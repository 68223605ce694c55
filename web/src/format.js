// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers as people read them: as user/util/fmt.c writes them.
 */
const MS = 1e6;
const S = 1e9;

const rounded = (ns, unit, decimals) => {
	const scale = 10 ** decimals;

	return (Math.floor((ns + unit / scale / 2) / (unit / scale)) / scale).toFixed(decimals);
};

const twoUnits = (s, big, bigUnit, small, smallUnit) =>
	`${Math.floor(s / big)} ${bigUnit} ` +
	`${String(Math.floor((s % big) / small)).padStart(2, "0")} ${smallUnit}`;

export const duration = (ns) => {
	const s = Math.floor(ns / S);

	if (ns < 0)
		return `-${duration(-ns)}`;
	if (ns < 9995000)
		return `${rounded(ns, MS, 2)} ms`;
	if (ns < 99950000)
		return `${rounded(ns, MS, 1)} ms`;
	if (ns < 999500000)
		return `${rounded(ns, MS, 0)} ms`;
	if (ns < 9995000000)
		return `${rounded(ns, S, 2)} s`;
	if (ns < 119950000000)
		return `${rounded(ns, S, 1)} s`;
	if (s < 3600)
		return twoUnits(s, 60, "m", 1, "s");
	if (s < 86400)
		return twoUnits(s, 3600, "h", 60, "m");
	return twoUnits(s, 86400, "d", 3600, "h");
};

/* For axes: 0.5 s, 20 s, 1 m 30 s. */
export const tick = (s) => {
	if (!s)
		return "0";
	if (Math.abs(s) < 1)
		return `${+(s * 1000).toPrecision(6)} ms`;
	if (Math.abs(s) < 120)
		return `${+s.toPrecision(6)} s`;
	return duration(s * S);
};

export const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

export const bytes = (n) => {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
	let unit = 0;

	for (; n >= 1024 && unit + 1 < units.length; unit++)
		n /= 1024;
	return `${unit ? n.toPrecision(n >= 999.5 ? 4 : 3) : n} ${units[unit]}`;
};

const digits = (v) => (v < 9.995 ? v.toFixed(2) : v < 99.95 ? v.toFixed(1) : count(Math.round(v)));

export const rate = (perS) => {
	if (!perS || perS >= 1)
		return `${digits(perS)} /s`;
	if (perS * 60 >= 1)
		return `${digits(perS * 60)} /min`;
	return `${digits(perS * 3600)} /h`;
};

const kinds = {
	c: count,
	i: String,
	d: duration,
	b: bytes,
	r: rate,
	p: (pct) => `${pct.toFixed(1)} %`,
	f: (yes) => (yes ? "yes" : "no"),
	t: String,
};

/* A cell of the model: null, or [kind, value, isLowerBound]. */
export const cell = (c) => (c ? (c[2] ? ">= " : "") + (kinds[c[0]] ?? String)(c[1]) : "-");

export const isNumber = (c) => c && c[0] !== "t" && c[0] !== "f";
