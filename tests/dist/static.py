#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What can be said of dist/ without running finwait as root: alert rules, dashboard and DaemonSet are well
formed, and make install puts everything where it belongs and make uninstall takes it away again.
"""

import itertools
import json
import os
import re
import shutil
import tempfile

import yaml

from common import DIST, FINWAIT, TREE, check, run, run_cases, said

RULES = os.path.join(DIST, "prometheus", "finwait.rules.yml")
TESTS = os.path.join(TREE, "tests", "dist", "alerts.test.yml")


def rules_are_well_formed():
    said(["promtool", "check", "rules", "--lint-fatal", RULES])
    with tempfile.TemporaryDirectory() as folder:
        config = shutil.copy(os.path.join(DIST, "prometheus", "scrape.yml"), f"{folder}/prometheus.yml")
        # promtool wants the file of the token to be there.
        with open(config, encoding="utf-8") as file:
            text = file.read().replace("/etc/prometheus/finwait.token", f"{folder}/token")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        with open(f"{folder}/token", "w", encoding="utf-8") as file:
            file.write("token\n")
        said(["promtool", "check", "config", config])


def each_alert_fires_in_its_scenario_only():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(RULES, folder)
        tests = shutil.copy(TESTS, folder)
        said(["promtool", "test", "rules", tests])


def each_alert_is_tested_both_ways():
    with open(RULES, encoding="utf-8") as file:
        alerts = {rule["alert"] for group in yaml.safe_load(file)["groups"] for rule in group["rules"]}
    with open(TESTS, encoding="utf-8") as file:
        cases = [case for test in yaml.safe_load(file)["tests"] for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    check(fires == silent == alerts, f"fires {fires ^ alerts}, silent {silent ^ alerts}")


def what_alerts_advise_exists():
    """finwait explain knows the finding, and finwait the option."""
    with open(RULES, encoding="utf-8") as file:
        text = file.read()
    topics = re.findall(r"finwait explain ([\w-]+)", text)
    check(len(topics) >= 5, f"only {topics}")
    for topic in topics:
        said([FINWAIT, "explain", topic])
    check("finwait timeline --state fin_wait_2 --min-duration 1s" in text, "the advice on stalls is gone")
    said([FINWAIT, "timeline", "--state", "fin_wait_2", "--min-duration", "1s", "--help"])


def programs_are_hardened():
    said([os.path.join(TREE, "scripts", "check-hardening"), FINWAIT, f"{FINWAIT}-serve"])


def panels_of_the_dashboard_do_not_overlap():
    with open(os.path.join(DIST, "grafana", "finwait.json"), encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    check(len({panel["id"] for panel in panels}) == len(panels), "two panels have the same id")
    for panel in panels:
        at = panel["gridPos"]
        check(at["x"] + at["w"] <= 24, f"{panel['title']} is wider than the page")
        check(panel["type"] == "row" or panel["targets"], f"{panel['title']} asks nothing")
    for a, b in itertools.combinations(panels, 2):
        p, q = a["gridPos"], b["gridPos"]
        apart = (p["x"] + p["w"] <= q["x"] or q["x"] + q["w"] <= p["x"] or p["y"] + p["h"] <= q["y"]
                 or q["y"] + q["h"] <= p["y"])
        check(apart, f"{a['title']} lies on {b['title']}")


def daemonset_is_as_the_service():
    """The same capabilities, less what only systemd's user needs; options that serve takes."""
    with open(os.path.join(DIST, "kubernetes", "daemonset.yaml"), encoding="utf-8") as file:
        documents = list(yaml.safe_load_all(file))
    check([document["kind"] for document in documents] == ["Namespace", "DaemonSet"], "other documents")
    daemonset = documents[1]["spec"]
    labels = daemonset["template"]["metadata"]["labels"]
    check(daemonset["selector"]["matchLabels"].items() <= labels.items(), "it does not select its own pods")
    pod = daemonset["template"]["spec"]
    check(pod["hostPID"] and pod["hostNetwork"], "it would see its own namespaces only")
    container = pod["containers"][0]
    added = {f"CAP_{name}" for name in container["securityContext"]["capabilities"]["add"]}
    unit = set()
    for name in ("finwait.service", "all-namespaces.conf"):
        with open(os.path.join(DIST, name), encoding="utf-8") as file:
            unit |= set(re.search(r"^CapabilityBoundingSet=(.*)$", file.read(), re.M)[1].split())
    check(added - unit == {"CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"} and unit <= added, f"{added ^ unit}")
    security = container["securityContext"]
    check(not security["privileged"] and not security["allowPrivilegeEscalation"], "it is privileged")
    check(security["readOnlyRootFilesystem"] and security["capabilities"]["drop"] == ["ALL"], f"{security}")
    check(security["seccompProfile"]["type"] == "RuntimeDefault", f"{security}")
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    check(mounts == {volume["name"] for volume in pod["volumes"]}, "mounts and volumes differ")
    args = [arg.replace("$(NODE_ADDRESS)", "192.0.2.1").replace("$(NODE_NAME)", "n")
            for arg in container["args"]]
    said([FINWAIT, *args, "--help"])


def package_is_built_from_what_scripts_deps_installs():
    with open(os.path.join(TREE, "scripts", "deps"), encoding="utf-8") as file:
        build = re.search(r'^build="(.*?)"', file.read(), re.M | re.S)[1]
    with open(os.path.join(DIST, "debian", "control"), encoding="utf-8") as file:
        depends = re.search(r"^Build-Depends: (.*?)^\S", file.read(), re.M | re.S)[1]
    want = {name for name in build.split() if name.endswith("-dev")} - {"libc6-dev"}
    have = {name for name in re.findall(r"[\w.-]+", depends) if name.endswith("-dev")}
    check(want == have, f"Build-Depends and scripts/deps differ in {want ^ have}")


def files_below(folder):
    return {os.path.relpath(os.path.join(where, name), folder)
            for where, _, names in os.walk(folder) for name in names}


def install_is_complete_and_uninstall_leaves_nothing():
    with tempfile.TemporaryDirectory() as folder:
        make = ["make", "-s", "-C", TREE, f"DESTDIR={folder}", "PREFIX=/opt/fw"]
        said([*make, "install"])
        have = files_below(folder)
        want = {"bin/finwait", "libexec/finwait/finwait-serve", "share/man/man1/finwait.1",
                "share/man/man1/finwait-serve.1",
                "share/bash-completion/completions/finwait", "lib/systemd/system/finwait.service",
                "share/doc/finwait/README.md", "share/doc/finwait/docs/service.md",
                "share/finwait/prometheus/finwait.rules.yml", "share/finwait/grafana/finwait.json",
                "share/finwait/kubernetes/daemonset.yaml",
                "share/finwait/all-namespaces.conf", "share/finwait/make-token"}
        check({f"opt/fw/{name}" for name in want} <= have, f"not installed: {want}, but {have}")
        check(not [name for name in have if not name.startswith("opt/fw/")], f"outside of PREFIX: {have}")
        with open(f"{folder}/opt/fw/lib/systemd/system/finwait.service", encoding="utf-8") as file:
            check("\nExecStart=/opt/fw/bin/finwait serve" in file.read(), "the unit starts another program")
        check("finwait" in said([f"{folder}/opt/fw/bin/finwait", "--version"]), "it does not run")
        said([*make, "uninstall"])
        check(not files_below(folder), f"left: {files_below(folder)}")
        check(not os.path.exists(f"{folder}/opt/fw/share/finwait"), "an empty folder is left")


if __name__ == "__main__":
    raise SystemExit(run_cases([
        rules_are_well_formed, each_alert_fires_in_its_scenario_only, each_alert_is_tested_both_ways,
        what_alerts_advise_exists, programs_are_hardened, package_is_built_from_what_scripts_deps_installs,
        panels_of_the_dashboard_do_not_overlap, daemonset_is_as_the_service,
        install_is_complete_and_uninstall_leaves_nothing,
    ]))
