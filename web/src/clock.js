// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times of the trace as times of the day, to be found in other logs. In UTC, as the report has its start.
 */
import { derive, model } from "./model.js";

export let startMs; /* since 1970; NaN: unknown */

derive(() => {
	const text = model.about.find(([key]) => key === "start")?.[2]?.[1] ?? "";

	startMs = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
});

/* The time of day may have been set meanwhile. */
const shiftUs = (us) => model.lives?.clock.findLast(([since]) => since <= us)?.[1] ?? 0;

const iso = (us) => new Date(startMs + (us + shiftUs(us)) / 1000).toISOString().replace("T", " ");

/* @us: microseconds since the start. "22:38:44.123 UTC", on another day with its date; null: unknown. */
export const clock = (us) => {
	if (Number.isNaN(startMs))
		return null;
	const [day, time] = iso(us).replace("Z", "").split(" ");

	return `${iso(0).startsWith(day) ? "" : `${day} `}${time} UTC`;
};

/* "2026-11-25 22:38:42 UTC" */
export const startsAt = () => (Number.isNaN(startMs) ? null : `${iso(0).slice(0, 19)} UTC`);
