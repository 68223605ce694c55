// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME_WAIT: how long, by what ended it; and around the nominal 60 s, where the steps of the kernel's
 * timer wheel show.
 */
import { group, max } from "d3-array";
import { scaleLinear } from "d3-scale";
import { countAxis, reading, timeAxis } from "./axis.js";
import { range, stacked } from "./bars.js";
import { block, h, onWidth, svg } from "./dom.js";
import { count, duration } from "./format.js";
import { fact, rows, section, table } from "./model.js";

const HEIGHT = 200;
const LEFT = 52;
const BOTTOM = 26;
const TOP = 30;
const NOMINAL = 60;

/* Of the ends, in the order of their columns. */
const color = (i) => `series-${Math.min(i, 6) + 1}`;

const byEnd = () => {
	const t = table("time_wait_bars", "by_end");

	if (!t)
		return null;
	const ends = t.columns.slice(2);
	const all = rows(t).map((row) => ({ ...row, values: ends.map(([key]) => row[key]) }));
	const some = (row) => row.values.some((n) => n > 0);
	const first = all.findIndex(some);
	const last = all.length - 1 - [...all].reverse().findIndex(some);

	return block("How long, by what ended it", stacked({
		parts: ends.map(([, words], i) => ({ label: words, color: color(i) })),
		rows: all.slice(Math.max(0, first), last + 1).map((row) => ({
			label: range(row.from, row.to), values: row.values,
			text: count(row.values.reduce((a, b) => a + b, 0)) })),
	}));
};

/* Percentiles, those at one place in one line, right of the mark or left of it at the right edge. */
const marks = (x, bottom) => {
	const expired = rows(table("time_wait", "durations")).find((d) => /no restart/.test(d.which));
	const known = ["p50", "p90", "p99"].filter((p) => expired?.[p]);
	const at = group(known, (p) => duration(expired[p]));
	const end = x.range()[1];

	return [...at].map(([text, names], i) => {
		const px = x(expired[names[0]] / 1e9);
		const isLeft = px > end - 110;

		return svg("g", { class: "mark" },
			svg("path", { d: `M${px},${bottom}V${TOP + 8 + 15 * i}` }),
			svg("text", { x: px + (isLeft ? -5 : 5), y: TOP + 14 + 15 * i,
				"text-anchor": isLeft ? "end" : "start" }, `${names.join(", ")} ${text}`));
	});
};

const draw = (width, bars, bucket, note) => {
	const bottom = HEIGHT - BOTTOM;
	const from = bars[0][0] / 1e9;
	const last = Math.max(bucket ? NOMINAL + bucket + 0.5 : 0,
		...bars.filter((b) => b[2]).map((b) => b[1] / 1e9)) + 0.3;
	const x = scaleLinear([from, last], [LEFT, width - 8]);
	const y = scaleLinear([0, max(bars, (b) => b[2])], [bottom, TOP]).nice(4);

	return svg("svg", { width, height: HEIGHT, class: "chart", role: "img",
			    "aria-label": "TIME_WAITs that the timer ended, in tenths of a second" },
		bucket && svg("rect", { x: x(NOMINAL), width: x(NOMINAL + bucket) - x(NOMINAL), y: TOP,
			height: bottom - TOP, class: "wheel" }),
		countAxis(y, LEFT, width - 8), timeAxis(x, bottom, TOP, width < 500 ? 4 : 8),
		bars.filter((b) => b[2]).map(([a, b, n]) => svg("rect", {
			x: x(a / 1e9) + 0.5, width: Math.max(1, x(b / 1e9) - x(a / 1e9) - 1),
			y: y(n), height: bottom - y(n), class: "column",
			onpointerenter: () => {
				note.textContent = `${range(a, b)}: ${count(n)}`;
			} })),
		svg("path", { d: `M${x(NOMINAL)},${bottom}V${TOP - 8}`, class: "nominal" }),
		svg("text", { x: x(NOMINAL) + 4, y: TOP - 10, class: "nominal-text" },
			bucket ? `60 s, and one step of the timer wheel: ${duration(bucket * 1e9)}` : "60 s"),
		marks(x, bottom));
};

const around60 = () => {
	const bars = section("time_wait_bars")?.bars.find((b) => b.key === "expired")?.bars;
	const bucket = (fact("time_wait", "wheel_bucket") ?? 0) / 1e9;
	const picture = h("div", { class: "picture" });
	const note = reading();

	if (!bars)
		return null;
	onWidth(picture, (width) => picture.replaceChildren(draw(width, bars, bucket, note)));
	return block("The nominal 60 s, when nothing cut it short", picture, note,
		bucket > 0 && h("p", { class: "remark" },
			"The kernel files timers by steps, and fires a whole step at once: a timer of 60 s " +
			`is filed in steps of ${duration(bucket * 1e9)} (shaded), so TIME_WAIT outlasts its ` +
			"constant by up to that."));
};

export const timeWait = () => [around60(), byEnd()];
