# SPDX-License-Identifier: GPL-2.0-only
"""A scenario as data: reads scenarios/NAME.toml and rejects what the runner does not understand.

README.md in this directory describes the fields.
"""

import dataclasses
import os
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
LAB = os.path.dirname(HERE)
SCENARIOS = os.path.join(LAB, "scenarios")

SEVERITIES = ["info", "warning", "critical"]


class Mistake(Exception):
    """A scenario file that says something the runner does not know."""


@dataclasses.dataclass
class Number:
    """A figure that finwait states. @equals refers to an account or a witness, or is a constant."""

    field: str
    equals: object = None
    within: object = 0
    at_least: object = None
    at_most: object = None
    optional: bool = False


@dataclasses.dataclass
class Finding:
    """One finding that must be (or may be) reported."""

    id: str
    severity: list
    process: str = ""
    peer: str = ""
    port: int = 0
    numbers: list = dataclasses.field(default_factory=list)
    says: list = dataclasses.field(default_factory=list)
    never_says: list = dataclasses.field(default_factory=list)
    rows: int = 0
    may: bool = False


@dataclasses.dataclass
class Never:
    """What no finding may be: by id, title and words; above a severity, or at all."""

    id: str = ""
    above: str = ""
    title: str = ""
    text: str = ""


@dataclasses.dataclass
class Table:
    """Rows of a table of a section, and what one of them says."""

    section: str
    table: str
    where: dict = dataclasses.field(default_factory=dict)
    rows: int = -1
    numbers: list = dataclasses.field(default_factory=list)
    cells: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Answer:
    """What one finwait command must say."""

    findings: list
    never: list
    tables: list
    others: str = "info"


@dataclasses.dataclass
class Run:
    """A program of the scenario."""

    name: str
    command: str
    netns: str = ""
    ready: int = 0
    until: str = ""
    pause_s: float = 0.0
    at_s: float = -1.0
    stop_at_s: float = -1.0
    signal: str = "TERM"
    files: int = 0
    nice: int = 0
    count: int = 1
    account: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Ask:
    """Another finwait command, asked while the scenario runs."""

    name: str
    command: str
    answer: Answer
    at_s: float = 5.0
    exit: int = -1


@dataclasses.dataclass
class Far:
    """A second host: a namespace behind a veth pair, or behind a link that delays."""

    name: str
    delay_ms: int = 0
    sysctls: dict = dataclasses.field(default_factory=dict)
    setup: list = dataclasses.field(default_factory=list)
    forward: bool = False


@dataclasses.dataclass
class Scenario:
    name: str
    title: str
    why: str
    kinds: list
    reported: str = ""
    incident: str = ""
    healthy: bool = False
    span_s: int = 20
    options: str = ""
    warm_s: float = 1.0
    weight: int = 1
    everywhere: bool = False
    ways: list = dataclasses.field(default_factory=lambda: ["live", "recording", "serve"])
    sysctls: dict = dataclasses.field(default_factory=dict)
    setup: list = dataclasses.field(default_factory=list)
    far: list = dataclasses.field(default_factory=list)
    files: dict = dataclasses.field(default_factory=dict)
    runs: list = dataclasses.field(default_factory=list)
    witness: dict = dataclasses.field(default_factory=dict)
    proof: list = dataclasses.field(default_factory=list)
    answer: Answer = None
    asks: list = dataclasses.field(default_factory=list)


def make(kind, data, where, **given):
    """A @kind from the table @data, whose keys must be fields of it."""
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = set(data) - known
    if unknown:
        raise Mistake(f"{where}: unknown {', '.join(sorted(unknown))}")
    try:
        return kind(**{**data, **given})
    except TypeError as error:
        raise Mistake(f"{where}: {error}") from error


def numbers_of(data, where):
    return [make(Number, number, where) for number in data.get("numbers", [])]


def severities_of(value, where):
    """ "critical", ["warning", "critical"], or "<= warning"."""
    if isinstance(value, str) and value.startswith("<= "):
        value = SEVERITIES[: SEVERITIES.index(value[3:]) + 1]
    value = [value] if isinstance(value, str) else value
    for severity in value:
        if severity not in SEVERITIES:
            raise Mistake(f"{where}: severity {severity}")
    return value


def finding_of(data, where):
    where = f"{where}: finding {data.get('id')}"
    if "severity" not in data:
        raise Mistake(f"{where}: no severity")
    severity = severities_of(data["severity"], where)
    return make(Finding, data, where, severity=severity, numbers=numbers_of(data, where))


def answer_of(data, where):
    """Takes finding, never, table and others out of @data."""
    return Answer(
        findings=[finding_of(each, where) for each in data.pop("finding", [])],
        never=[make(Never, each, where) for each in data.pop("never", [])],
        tables=[
            make(Table, each, where, numbers=numbers_of(each, where))
            for each in data.pop("table", [])
        ],
        others=data.pop("others", "info"),
    )


def ask_of(data, where):
    where = f"{where}: ask {data.get('name')}"
    answer = answer_of(data, where)
    return make(Ask, data, where, answer=answer)


def load(name):
    """The scenario in scenarios/@name.toml."""
    path = os.path.join(SCENARIOS, f"{name}.toml")
    with open(path, "rb") as file:
        data = tomllib.load(file)
    given = {
        "name": name,
        "answer": answer_of(data, name),
        "runs": [make(Run, each, f"{name}: run") for each in data.pop("run", [])],
        "far": [make(Far, each, f"{name}: far") for each in data.pop("far", [])],
        "asks": [ask_of(each, name) for each in data.pop("ask", [])],
    }
    scenario = make(Scenario, data, name, **given)
    if not scenario.healthy and not (scenario.answer.findings or scenario.asks):
        raise Mistake(f"{name}: neither healthy nor with a right answer")
    return scenario


def names():
    return sorted(name[:-5] for name in os.listdir(SCENARIOS) if name.endswith(".toml"))


def finding_ids():
    """All that the catalogue expects anywhere."""
    found = set()
    for name in names():
        scenario = load(name)
        for answer in [scenario.answer, *(ask.answer for ask in scenario.asks)]:
            for finding in answer.findings:
                found.update(finding.id.split("|"))
    return found
