# SPDX-License-Identifier: GPL-2.0-only
"""A systemd of its own, for hosts (containers, test machines) on which another program is process 1.

It runs in new PID, mount, IPC, UTS and cgroup namespaces, in the network namespace of the host, and knows
only the units it is given: nothing of the host is started, and /proc/sys is read-only to it. As on a host of
systemd's, tracefs and cgroup2 are mounted. The services are real ones: their sandbox, capabilities,
watchdog and notification are systemd's.
"""

import os
import subprocess
import tempfile

from common import check, run, wait_until

TARGETS = ("sysinit", "basic", "multi-user", "shutdown")
CGROUP_ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")

BOOT = """
set -e
echo 0 >"$1/cgroup.procs"
exec unshare --mount --pid --ipc --uts --cgroup --fork --kill-child --mount-proc sh -ec '
mount --make-rprivate /
[ ! -d /run/netns ] || mount --rbind /run/netns "$0/netns"
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/netns /run/finwait-test
cp "$1" /run/finwait-test/finwait
[ ! -e "$1-serve" ] || cp "$1-serve" /run/finwait-test/finwait-serve
mount --rbind "$0/netns" /run/netns
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount --make-rshared /
exec /lib/systemd/systemd --system --log-target=console --show-status=no
' "$2" "$3"
"""
PROGRAM = "/run/finwait-test/finwait"
INSTALLED = "/usr/bin/finwait"


def cgroup_root():
    for path in CGROUP_ROOTS:
        if os.path.exists(f"{path}/cgroup.procs") and os.path.exists(f"{path}/cgroup.controllers"):
            return path
    check(False, "there is no cgroup2 hierarchy to run systemd in")
    return None


class MiniSystemd:
    """@program is there as PROGRAM, which stands in @units instead of INSTALLED, if it is another: sandboxes
    hide the folders that this tree may be in. close() kills systemd, and everything in it."""

    def __init__(self, program, *units):
        self.directory = tempfile.TemporaryDirectory(prefix="finwait-systemd-")
        self.units = os.path.join(self.directory.name, "units")
        self.cgroup = os.path.join(cgroup_root(), f"finwait-systemd-{os.getpid()}")
        os.chmod(self.directory.name, 0o755)
        os.makedirs(self.units)
        os.makedirs(f"{self.directory.name}/netns")
        for name in TARGETS:
            self.unit(f"{name}.target", f"[Unit]\nDescription={name}\nDefaultDependencies=no\n")
        self.unit("default.target", "[Unit]\nDescription=default\nDefaultDependencies=no\n")
        for path in units:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if program != INSTALLED:
                text = text.replace(INSTALLED, PROGRAM)
            self.unit(os.path.basename(path), text)
        os.mkdir(self.cgroup)
        self.log = open(f"{self.directory.name}/log", "wb")
        self.process = subprocess.Popen(
            ["sh", "-c", BOOT, "sh", self.cgroup, self.directory.name, program], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log,
            env={**os.environ, "container": "finwait-test", "SYSTEMD_UNIT_PATH": self.units,
                 "SYSTEMD_GENERATOR_PATH": "/nonexistent"})
        try:
            wait_until(self.is_up, 20, "systemd to come up")
        except Exception:
            self.close()
            raise

    def unit(self, name, text):
        with open(os.path.join(self.units, name), "w", encoding="utf-8") as file:
            file.write(text)

    def drop_in(self, unit, text):
        """As systemctl edit would make; and its output into a file anew, as there is no journal here."""
        os.makedirs(os.path.join(self.units, f"{unit}.d"), exist_ok=True)
        output = os.path.join(self.directory.name, f"{unit}.log")
        if os.path.exists(output):
            os.unlink(output)
        self.unit(f"{unit}.d/test.conf", f"{text}\n[Service]\nStandardOutput=append:{output}\n"
                                         f"StandardError=append:{output}\n")

    def output(self, unit):
        path = os.path.join(self.directory.name, f"{unit}.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def init_pid(self):
        """Of unshare's child."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children, encoding="ascii") as file:
            return next(iter(file.read().split()), None)

    def is_up(self):
        check(self.process.poll() is None, f"systemd ended: {self.said()}")
        pid = self.init_pid()
        return pid and self.systemctl("is-system-running").stdout.strip() in (b"running", b"degraded")

    def said(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def systemctl(self, *args):
        return run(["nsenter", "--target", self.init_pid(), "--all", "systemctl", "--no-pager", *args])

    def show(self, unit, name):
        return self.systemctl("show", "--value", "-p", name, unit).stdout.decode().strip()

    def main_pid(self, unit):
        """As it is numbered outside: the service's own pid in the namespace is another."""
        with open(f"{self.cgroup}/system.slice/{unit}/cgroup.procs", encoding="ascii") as file:
            return int(file.read().split()[0])

    def close(self):
        pid = self.init_pid() if self.process.poll() is None else None
        if pid:
            run(["kill", "-KILL", pid])
        self.process.kill()
        self.process.wait()
        for folder, _, _ in os.walk(self.cgroup, topdown=False):
            wait_until(lambda folder=folder: run(["rmdir", folder]).returncode == 0, 10,
                       f"{folder} to be empty")
        self.log.close()
        self.directory.cleanup()


__all__ = ["MiniSystemd", "PROGRAM"]
