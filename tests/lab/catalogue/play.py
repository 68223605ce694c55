# SPDX-License-Identifier: GPL-2.0-only
"""Runs one scenario: hosts, programs, finwait, witnesses, and then the judgement."""

import json
import os
import time

from catalogue.ask import Asked, make_way
from catalogue.host import Failure, Host
from catalogue.judge import Checks, Judge
from catalogue.witness import Witnesses

KEEP = os.environ.get("LAB_KEEP")


class Timeline:
    """What happens at given seconds of the span."""

    def __init__(self, host, asked, witnesses):
        self.moments = []
        for run in host.scenario.runs:
            if run.at_s >= 0:
                self.moments.append((run.at_s, lambda r=run: host.start(r)))
            if run.stop_at_s >= 0:
                self.moments.append((run.stop_at_s, lambda r=run: host.stop(r)))
        for each in asked:
            self.moments.append((each.ask.at_s, each.start))
            self.moments.append((each.ask.at_s, witnesses.read))
        self.moments.append((host.scenario.span_s / 2, host.remember_names))
        self.moments.sort(key=lambda moment: moment[0])

    def play(self, until_s):
        begin = time.monotonic()
        for at_s, action in self.moments:
            time.sleep(max(0, begin + at_s - time.monotonic()))
            action()
        time.sleep(max(0, begin + until_s - time.monotonic()))


def keep(name, document):
    """With LAB_KEEP=DIR everything that finwait said stays there."""
    if KEEP:
        os.makedirs(KEEP, exist_ok=True)
        with open(os.path.join(KEEP, f"{name}.json"), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)


def start_ways(ways):
    """All attach at the same time: one after the other they would watch different seconds."""
    for way in ways:
        way.begin()
    for way in ways:
        way.ready()


def judge_ways(scenario, host, witnesses, ways, checks):
    for way in ways:
        judge = Judge(way.name, host, witnesses, checks)
        try:
            document = way.document()
            keep(f"{scenario.name}.{way.name}", document)
            judge.judge(scenario.answer, document)
        except (Failure, ValueError) as failure:
            judge.add(False, str(failure))


def judge_asked(scenario, host, witnesses, asked, checks):
    for each in asked:
        judge = Judge(each.ask.name, host, witnesses, checks)
        try:
            each.finish()
            document = each.document()
            keep(f"{scenario.name}.{each.ask.name}", document)
            judge.judge(each.ask.answer, document, (each.begin, each.end))
        except (Failure, ValueError) as failure:
            judge.add(False, str(failure))
            continue
        if each.ask.exit >= 0:
            status = each.result.returncode
            judge.add(status == each.ask.exit, f"exit status {status} ({each.ask.exit} is right)")


def prove(scenario, witnesses, checks):
    """The situation really arose: its own witnesses say so, without finwait."""
    for proof in scenario.proof:
        number = witnesses.value(proof["of"])
        low, high = proof.get("at_least", float("-inf")), proof.get("at_most", float("inf"))
        text = f"{proof['of']} is {number:g}"
        text += f", at least {low:g}" if "at_least" in proof else ""
        text += f", at most {high:g}" if "at_most" in proof else ""
        checks.add(low <= number <= high, f"witness: {text}")


def play(scenario, way_names):
    """The checks of @scenario, asked in the ways of @way_names."""
    checks, ways, asked = Checks(), [], []
    host = Host(scenario)
    try:
        host.make()
        for run in scenario.runs:
            if run.at_s < 0:
                host.start(run)
        time.sleep(scenario.warm_s)
        ways = [make_way(n, scenario, host) for n in way_names if n in scenario.ways]
        asked = [Asked(ask, scenario, host) for ask in scenario.asks]
        witnesses = Witnesses(host)
        witnesses.read()
        start_ways(ways)
        witnesses.read()
        Timeline(host, asked, witnesses).play(scenario.span_s - 0.3)
        host.remember_names()
        witnesses.read()
        for way in ways:
            way.finish()
        witnesses.read()
        prove(scenario, witnesses, checks)
        judge_ways(scenario, host, witnesses, ways, checks)
        judge_asked(scenario, host, witnesses, asked, checks)
        keep_logs(scenario, host)
    except Failure as failure:
        checks.add(False, f"scenario: {failure}")
        keep_logs(scenario, host)
    finally:
        for each in [*ways, *asked]:
            each.close()
        host.close()
    return checks


def keep_logs(scenario, host):
    if not KEEP:
        return
    os.makedirs(KEEP, exist_ok=True)
    with open(os.path.join(KEEP, f"{scenario.name}.log"), "w", encoding="utf-8") as file:
        for name, program in host.programs.items():
            file.write(f"== {name}\n{program.text()[-4000:]}\n")


__all__ = ["play"]
