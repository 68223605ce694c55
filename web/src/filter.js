// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which connections are listed: the one thing that findings, diagram and list share. Each part is null
 * when it lets everything pass.
 *
 *	edge	{ from: "FIN_WAIT_1", to: "TIME_WAIT", ends: null or ["time_wait_reset"], label }
 *	state	"FIN_WAIT_2": was in it
 *	trouble	"leak"
 *	who	{ process: "curl/7", remote: "192.0.2.1:80" or without a port, lport: 80, label }: some of it
 *	text	what somebody typed
 */
export const everything = { edge: null, state: null, trouble: null, who: null, text: "" };
const listeners = [];

export let filter = { ...everything };

export const onFilter = (listener) => listeners.push(listener);

/* The page is built anew: what listened is gone. */
export const forgetFilterListeners = () => listeners.splice(0);

export const setFilter = (change) => {
	filter = { ...filter, ...change };
	for (const listener of listeners)
		listener(filter);
};

/* Only that. */
export const showOnly = (change) => setFilter({ ...everything, ...change });

export const goTo = (id) => {
	const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

	document.getElementById(id)?.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
};
