# SPDX-License-Identifier: GPL-2.0-only
"""Compares what finwait said with the right answer. One check a line, both numbers side by side."""

import re

from catalogue.host import Failure
from catalogue.model import SEVERITIES
from catalogue.witness import span_of


class Checks:
    """The lines of one scenario."""

    def __init__(self):
        self.lines = []

    def add(self, right, text):
        self.lines.append((bool(right), text))


def rank(severity):
    return SEVERITIES.index(severity)


def rows_of(finding):
    return finding.get("offenders", [])


def text_of(finding):
    """All that a person reads of it."""
    parts = [finding.get(key, "") for key in ("title", "meaning", "advice", "confidence")]
    parts += [str(value) for value in finding.get("evidence", {}).values()]
    parts += [str(value) for row in rows_of(finding) for value in row.values()]
    return "\n".join(parts)


def find_field(finding, row, names):
    """The value of the first of "a|b|c" that the culprit's row or the evidence has."""
    for name in names.split("|"):
        for place in (row or {}, finding.get("evidence", {})):
            for key in (name, f"{name}_min"):
                if key in place:
                    return key, place[key]
    return None, None


def fmt(value):
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def is_within(value, expected, within):
    """Between two readings the true number is interpolated: no nearer than a half."""
    if not within:
        return abs(value - expected) <= 0.5
    if isinstance(within, str) and within.endswith("%"):
        return abs(value - expected) <= abs(expected) * float(within[:-1]) / 100
    return abs(value - expected) <= float(within)


class Judge:
    """Of one answer of finwait (the document) to one scenario."""

    def __init__(self, way, host, witnesses, checks):
        self.way, self.host, self.witnesses, self.checks = way, host, witnesses, checks
        self.span = None

    def add(self, right, text):
        self.checks.add(right, f"{self.way}: {text}")

    # Numbers

    def number(self, what, spec, key, value):
        if value is None:
            if not spec.optional:
                self.add(False, f"{what}: no field {spec.field}")
            return
        try:
            bounds = {k: self.witnesses.value(v, self.span) for k, v in (
                ("equals", spec.equals), ("at_least", spec.at_least), ("at_most", spec.at_most),
            ) if v is not None}
        except Failure as failure:
            self.add(False, f"{what}: {failure}")
            return
        if not isinstance(value, (int, float)):
            self.add(False, f"{what}: {key} is {value!r}, no number")
            return
        right, words = True, []
        for bound, expected in bounds.items():
            right &= {
                "equals": is_within(value, expected, spec.within),
                "at_least": value >= expected,
                "at_most": value <= expected,
            }[bound]
            origin = getattr(spec, bound)
            origin = f" ({origin})" if isinstance(origin, str) else ""
            around = f" +-{spec.within}" if bound == "equals" and spec.within else ""
            words.append(f"{bound.replace('_', ' ')} {fmt(expected)}{origin}{around}")
        self.add(right, f"{what}: {key}: finwait {fmt(value)}, {', '.join(words)}")

    def numbers(self, what, specs, finding, row):
        for spec in specs:
            self.number(what, spec, *find_field(finding, row, spec.field))

    # Culprits

    def names_process(self, text, program):
        """@text holds the name of one of the program's processes; with a pid, the right one."""
        pids = self.host.pids_of(program)
        for pid, comm in pids.items():
            found = re.search(rf"(?<![\w.-]){re.escape(comm)}(?:/(\d+))?(?![\w.-])", text)
            if found and (not found.group(1) or int(found.group(1)) in pids):
                return True
        return False

    def culprit_row(self, wanted, finding):
        """The first row of offenders that is the culprit's, or the first one."""
        for row in rows_of(finding):
            if self.matches_row(wanted, row):
                return row
        return rows_of(finding)[0] if rows_of(finding) else None

    def matches_row(self, wanted, row):
        values = [str(value) for value in row.values()]
        if wanted.process and not any(self.names_process(v, wanted.process) for v in values):
            return False
        if wanted.peer and not any(re.search(rf"{re.escape(wanted.peer)}(?!\d)", v) for v in values):
            return False
        return True

    def culprit(self, what, wanted, finding, row):
        places = [finding.get("title", "")]
        if row is rows_of(finding)[0] if rows_of(finding) else False:
            places += [str(value) for value in row.values()]
        places += [str(v) for v in finding.get("evidence", {}).values()]
        if wanted.process:
            right = any(self.names_process(p, wanted.process) for p in places)
            known = self.host.pids_of(wanted.process)
            want = ", ".join(f"{comm}/{pid}" for pid, comm in list(known.items())[:4])
            self.add(right, f"{what}: names the process {wanted.process} ({want})")
        for word in (wanted.peer, str(wanted.port) if wanted.port else ""):
            if word:
                pattern = rf"(?<!\d){re.escape(word)}(?!\d)"
                right = any(re.search(pattern, place) for place in places)
                self.add(right, f"{what}: names {word}")

    # Findings

    def finding(self, wanted, place, document):
        """@place: where it must stand; None: anywhere."""
        found = [f for f in document["findings"] if re.fullmatch(wanted.id, f["id"])]
        what = wanted.id
        if not found:
            if not wanted.may:
                self.add(False, f"{what} is not reported")
            return
        finding = found[0]
        self.add(finding["severity"] in wanted.severity,
                 f"{what} is {finding['severity']} ({' or '.join(wanted.severity)} is right)")
        if place is not None and not wanted.may:
            ids = [f["id"] for f in document["findings"]]
            at = document["findings"].index(finding)
            self.add(at == place, f"{what} is number {at + 1} of {', '.join(ids)}")
        row = self.culprit_row(wanted, finding)
        self.culprit(what, wanted, finding, row)
        self.numbers(what, wanted.numbers, finding, row)
        text = text_of(finding)
        for pattern in wanted.says:
            self.add(re.search(pattern, text, re.I | re.S), f"{what}: says /{pattern}/")
        for pattern in wanted.never_says:
            self.add(not re.search(pattern, text, re.I | re.S), f"{what}: never says /{pattern}/")
        if wanted.rows:
            self.add(len(rows_of(finding)) == wanted.rows,
                     f"{what}: {len(rows_of(finding))} rows ({wanted.rows} is right)")

    def never(self, rule, document):
        for finding in document["findings"]:
            if rule.id and not re.fullmatch(rule.id, finding["id"]):
                continue
            if rule.above and rank(finding["severity"]) <= rank(rule.above):
                continue
            if rule.title and not re.search(rule.title, finding["title"], re.I):
                continue
            if rule.text and not re.search(rule.text, text_of(finding), re.I | re.S):
                continue
            self.add(False, f"must not be said: {finding['severity']} {finding['id']}: "
                            f"{finding['title']}")
            return
        words = [w for w in (rule.id, rule.above and f"above {rule.above}", rule.title, rule.text)
                 if w]
        self.add(True, f"not said: {' '.join(words)}")

    def others(self, answer, document):
        """Findings that the right answer does not have are at most @answer.others."""
        known = "|".join(wanted.id for wanted in answer.findings)
        loud = [f for f in document["findings"]
                if not re.fullmatch(known, f["id"]) and rank(f["severity"]) > rank(answer.others)]
        for finding in loud:
            self.add(False, f"false {finding['severity']} {finding['id']}: {finding['title']}")
        if not loud:
            self.add(True, f"nothing else above {answer.others}")

    # Tables

    def table(self, wanted, document):
        what = f"{wanted.section}.{wanted.table}"
        rows = document["sections"].get(wanted.section, {}).get(wanted.table, [])
        rows = [row for row in rows if self.is_where(wanted.where, row)]
        where = " ".join(f"{k}={v}" for k, v in wanted.where.items())
        if wanted.rows >= 0:
            self.add(len(rows) == wanted.rows,
                     f"{what} {where}: {len(rows)} rows ({wanted.rows} is right)")
        elif not rows:
            self.add(False, f"{what} {where}: no row")
        if not rows:
            return
        for spec in wanted.numbers:
            key, value = find_field({}, rows[0], spec.field)
            self.number(f"{what} {where}", spec, key, value)
        for key, value in wanted.cells.items():
            said = str(rows[0].get(key, "-"))
            self.add(self.is_cell(value, said), f"{what} {where}: {key} is {said} ({value} is right)")

    def is_where(self, where, row):
        return all(self.is_cell(value, str(row.get(key, "-"))) for key, value in where.items())

    def is_cell(self, wanted, said):
        """ "@server" is the name of a program; anything else a pattern."""
        if str(wanted).startswith("@"):
            return self.names_process(said, wanted[1:])
        return re.fullmatch(str(wanted), said) is not None

    def counters(self, document):
        """finwait's counts against the kernel's, where both count the same thing. AttemptFails is
        left out: the kernel adds resets of half-open connections and leaves out given up ones."""
        section = document["sections"].get("kernel", {})
        rows = section.get("counters", [])
        inum = self.host.netns["main"].inum
        elsewhere = section.get("netns", inum) != inum and not self.host.scenario.everywhere
        if rows and elsewhere:
            self.add(False, f"the kernel's counters are those of {section['netns']}, not of {inum}")
            return
        for row in rows:
            if "difference" not in row or row["counter"] == "AttemptFails":
                continue
            slack = max(2, 0.002 * row["kernel"])
            if abs(int(row["difference"])) > slack:
                self.add(False, f"{row['counter']}: finwait {row['finwait']}, kernel {row['kernel']}")
                return
        if rows:
            self.add(True, "counts equal the kernel's")

    def judge(self, answer, document, span=None):
        """@span: the seconds that the answer is about, if it does not say so."""
        self.span = span_of(document) or span
        place = 0
        for wanted in answer.findings:
            self.finding(wanted, place if place == 0 else None, document)
            place += not wanted.may
        self.others(answer, document)
        for rule in answer.never:
            self.never(rule, document)
        for wanted in answer.tables:
            self.table(wanted, document)
        self.counters(document)
