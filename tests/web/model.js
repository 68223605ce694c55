// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report of a page as the tests read it, apart from the page's own script: as the JSON of finwait
 * report -f json, and which connections took an edge.
 */
const suffixes = { d: "_ns", b: "_bytes", r: "_per_s", p: "_pct" };

const put = (object, key, cell) => {
	if (cell)
		object[key + (suffixes[cell[0]] ?? "") + (cell[2] ? "_min" : "")] =
			cell[0] === "f" ? Boolean(cell[1]) : cell[1];
};

const facts = (object, list) => {
	for (const [key, , cell] of list)
		put(object, key, cell);
};

const table = (object, key, t) => {
	object[key] = t.rows.map((row) => {
		const one = {};

		row.forEach((cell, i) => put(one, t.columns[i][0], cell));
		return one;
	});
	if (t.more)
		object[`${key}_more`] = t.more;
};

const finding = (f) => {
	const one = { id: f.id, severity: f.severity, evidence: {} };

	facts(one.evidence, f.evidence);
	if (f.offenders)
		table(one, "offenders", f.offenders);
	for (const key of ["title", "meaning", "advice", "confidence"]) {
		if (f[key] !== null)
			one[key] = f[key];
	}
	return one;
};

const section = (s) => {
	const one = { notes: s.notes };

	facts(one, s.facts);
	for (const t of s.tables)
		table(one, t.key, t);
	for (const b of s.bars) {
		one[b.key] = b.bars.map(([from_ns, to_ns, count]) => (
			to_ns === null ? { from_ns, count } : { from_ns, to_ns, count }));
	}
	return one;
};

export const asJson = (model) => {
	const about = {};

	facts(about, model.about);
	return {
		complete: model.complete, about, findings: model.findings.map(finding),
		sections: Object.fromEntries(model.sections.map((s) => [s.key, section(s)])),
	};
};

/* How many of the listed connections went from @from straight to @to ("CLOSE": ended like @ends). */
export const countEdge = ({ lives, lists }, from, to, ends) => {
	const { rows, paths, states } = lives;
	let n = 0;

	for (let i = 0; i < rows.id.length; i++) {
		const names = paths[rows.path[i]].map(([state]) => states[state]);

		if (to === "CLOSE")
			n += rows.end[i] !== lives.open && names.at(-1) === from &&
				ends.includes(lists.ends[rows.end[i]][0]);
		else
			n += names.some((name, k) => name === from && names[k + 1] === to);
	}
	return n;
};
