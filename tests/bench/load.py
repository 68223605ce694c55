# SPDX-License-Identifier: GPL-2.0-only
"""The load of tests/bench/bench.py: churn, in a network namespace of its own."""

import json
import os
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHURN = os.path.join(ROOT, "build/tests/churn")
# The kernel removes a namespace, and the TIME_WAITs in it, some time after it was deleted.
SETTLE_S = 0.4


class Namespace:
    """Removed after every measurement: TIME_WAITs of one would burden the next."""

    def __init__(self):
        self.name = "finwait-bench-%d" % os.getpid()

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=True)

    def argv(self, *args):
        return ["ip", "netns", "exec", self.name, CHURN, *(str(arg) for arg in args)]


def churn(connections, *args):
    """What churn says of so many connections."""
    with Namespace() as netns:
        out = subprocess.run(netns.argv("-n", connections, *args), check=True,
                             stdout=subprocess.PIPE)
        result = json.loads(out.stdout)
    time.sleep(SETTLE_S)
    result["per_s"] = 1e9 * connections / result["wall_ns"]
    return result
