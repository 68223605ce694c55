# SPDX-License-Identifier: GPL-2.0-only
"""Comparing one case: the table's word, what the witness saw, what finwait printed.

The table decides about path, end and further fields; the witness decides about dwells. A state that
is shorter than the tolerance may be missing from the witness; nothing else may.
"""

import ipaddress
import json
import os
import re

TOLERANCE_NS = int(os.environ.get("FINWAIT_TOLERANCE_MS", "60")) * 1000000

# The timer wheel rounds up by at most 1/15 of a timer's length, clock and scripts by some ms.
WHEEL = 1.08
LATE_NS = max(250000000, 4 * TOLERANCE_NS)
# A namespace is taken down by a worker after its last user has left; nobody can watch it.
TEARDOWN_NS = 3000000000
STATE = re.compile(r"^([A-Z_0-9]+?)(\(orphaned\))?(\?)?(?:([=>])(\d+)(ms|s))?$")


class Failure(Exception):
    """Why a case failed, as one line."""


class State:
    """One word of an expected path."""

    def __init__(self, word):
        match = STATE.match(word)
        if not match:
            raise Failure("bad state in the table: " + word)
        self.name = match.group(1)
        self.orphaned = bool(match.group(2))
        self.optional = bool(match.group(3))
        self.at_least = match.group(4) == ">"
        unit = 1000000 if match.group(6) == "ms" else 1000000000
        self.nominal_ns = int(match.group(5)) * unit if match.group(5) else None

    def label(self):
        return self.name + ("(orphaned)" if self.orphaned else "")


def address(text):
    """Canonical form; None and the unspecified address are the same: unknown."""
    if not text:
        return ""
    parsed = ipaddress.ip_address(text)
    if parsed.version == 6 and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return "" if parsed.is_unspecified else str(parsed)


def tuple_key(conn, netns):
    return (netns, address(conn.get("laddr")), conn.get("lport") or 0,
            address(conn.get("raddr")), conn.get("rport") or 0)


def ms(ns):
    return "%.1f ms" % (ns / 1e6)


def expand(path):
    """All paths that the table allows: each optional state with and without."""
    paths = [[]]
    for state in path:
        longer = [p + [state] for p in paths]
        paths = paths + longer if state.optional else longer
    return paths


def got_label(state):
    return state["state"] + ("(orphaned)" if state.get("orphaned") else "")


def choose_path(path, conn):
    got = [got_label(state) for state in conn.get("states", [])]
    for candidate in expand(path):
        if [state.label() for state in candidate] == got:
            return candidate
    want = [s.label() + ("?" if s.optional else "") for s in path]
    raise Failure("path: expected %s, got %s" % (" > ".join(want), " > ".join(got) or "nothing"))


def was_found_gone(conn):
    """No hook saw the minisock's end: it outlived its timer, and the row claims neither an end nor a time."""
    return (conn.get("end") == "unknown" and conn.get("gap") and
            "ns" not in conn.get("states", [{}])[-1])


def check_end(expected, conn):
    if conn.get("open"):
        raise Failure("end: expected %s, still open" % expected["end"])
    if was_found_gone(conn):
        raise Failure("end: expected %s, found gone" % expected["end"])
    if conn.get("end") != expected["end"]:
        raise Failure("end: expected %s, got %s" % (expected["end"], conn.get("end")))
    if conn.get("gap"):
        raise Failure("finwait lost events of this connection")


def check_fields(expected, conn):
    for item in expected["check"]:
        field, want = item.split("=", 1)
        got = conn.get(field)
        if field == "restarts":
            got = next((state.get("restarts") for state in conn["states"]
                        if state["state"] == "TIME_WAIT"), None)
        if json.dumps(got).strip('"') != want:
            raise Failure("%s: expected %s, got %s" % (field, want, json.dumps(got)))


def align(names, spans):
    """Pair spans with positions in names, in order. None if the spans do not fit.

    One segment can move a socket through two states, and a sample can fall between: a state that
    is not in the path and was seen in one sample only was caught in flight and does not count.
    """
    pairs, at = {}, 0
    for span in spans:
        if span["state"] in names[at:]:
            at += names[at:].index(span["state"])
            pairs[at] = span
            at += 1
        elif span["first_ns"] != span["last_ns"]:
            return None
    return pairs


def take_life(lives, names):
    """The next life the witness saw, if it fits the path, and whether it was there to the last.
    A short life may have been missed."""
    pairs = align(names, lives[0]["states"]) if lives else None
    return (pairs, bool(lives.pop(0).get("open"))) if pairs is not None else ({}, False)


def check_witness(path, pairs, ended_early):
    """The case did what its script says: the dwells that the witness saw are the nominal ones."""
    for i, state in enumerate(path):
        span, nominal = pairs.get(i), state.nominal_ns
        if span is None:
            if nominal and nominal > TOLERANCE_NS and not state.optional:
                raise Failure("the witness saw no " + state.name)
            continue
        if nominal is None or ended_early:
            continue
        slack = span.get("slack_ns", 0)
        late = float("inf") if state.at_least else nominal * WHEEL + LATE_NS + slack
        if not nominal - TOLERANCE_NS - slack <= span["ns"] <= late:
            raise Failure("%s: nominally %s, the witness saw %s"
                          % (state.label(), ms(nominal), ms(span["ns"])))


def check_dwell(path, pairs, ended_early, conn):
    """finwait against the witness, whose own blind time (slack) can exceed the tolerance."""
    for i, state in enumerate(path):
        got, span = conn["states"][i].get("ns"), pairs.get(i)
        if got is None:
            raise Failure("%s: no dwell" % state.label())
        if span is None:
            if got > TOLERANCE_NS:
                raise Failure("%s: %s, but the witness never saw it" % (state.label(), ms(got)))
            continue
        low = high = max(TOLERANCE_NS, span.get("slack_ns", 0))
        if ended_early and i == len(path) - 1:
            high += TEARDOWN_NS
        if not span["ns"] - low <= got <= span["ns"] + high:
            raise Failure("%s: %s, the witness saw %s within %s"
                          % (state.label(), ms(got), ms(span["ns"]), ms(span.get("slack_ns", 0))))


def compare_conn(expected, lives, finwait_conns, left):
    path = [State(word) for word in expected["path"]]
    if expected["times"] > 1:  # lives shorter than a sample: nothing to ask the witness
        lives.clear()
        for conn in take(finwait_conns, expected["times"]) if finwait_conns is not None else []:
            choose_path(path, conn)
            check_end(expected, conn)
        return
    conn = take(finwait_conns, 1)[0] if finwait_conns is not None else None
    if conn:
        path = choose_path(path, conn)
    pairs, ended_early = take_life(lives, [state.name for state in path])
    if ended_early and not left:
        raise Failure("the witness saw no end")
    if conn:
        check_end(expected, conn)
        check_fields(expected, conn)
        check_dwell(path, pairs, ended_early, conn)
    check_witness(path, pairs, ended_early)


def take(conns, count):
    if len(conns) < count:
        raise Failure("finwait printed %d of %d connections" % (len(conns), count))
    taken = conns[:count]
    del conns[:count]
    return taken


def blind_ns(result):
    """The longest that this case's witness did not look, around a change that it then saw."""
    return max((span.get("slack_ns", 0) for life in result["witness"] for span in life["states"]),
               default=0)


def compare(result, conns):
    """Raises Failure. conns: finwait's, by 4-tuple, or None when only the witness is asked."""
    if result["error"]:
        raise Failure(result["error"])
    netns, rest, lives = result["netns"], {}, {}
    for life in result["witness"]:
        lives.setdefault(tuple_key(life, netns), []).append(life)
    for expected in result["conns"]:
        key = tuple_key(expected, netns)
        if conns is not None and key not in rest:
            rest[key] = list(conns.get(key, []))
        try:
            compare_conn(expected, lives.get(key, []), rest.get(key), result["left"])
        except Failure as e:
            raise Failure("%s: %s" % (expected["who"], e)) from None
    check_leftovers(result, lives, rest)


def check_leftovers(result, lives, rest):
    for expected in result["conns"]:
        key = tuple_key(expected, result["netns"])
        if lives.get(key):
            raise Failure("the witness saw one life more than the table has: %s" % " > ".join(
                span["state"] for span in lives[key][0]["states"]))
        if rest.get(key):
            raise Failure("finwait printed one more: " + describe(rest[key][0]))


def describe(conn):
    return "%s, %s" % (" > ".join(map(got_label, conn.get("states", []))),
                       "open" if conn.get("open") else conn.get("end"))


def check_strays(result, number, wanted, conns):
    """Connections that finwait invented: this run's, but not in the table. All of a run's have its
    listening port at one end; the inode alone is not enough, since the kernel uses it again."""
    for key, strays in conns.items():
        if key[0] == result["netns"] and key not in wanted and 8000 + number in (key[2], key[4]):
            raise Failure("not in the table: %s:%s > %s:%s %s"
                          % (key[1:] + (describe(strays[0]),)))
