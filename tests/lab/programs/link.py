#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A link between two network namespaces that delays every packet: NETNS NETNS 10.77.N DELAY_MS.

Two tun devices and a queue: the kernels of some machines have no netem."""

import collections
import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(fd):
    if LIBC.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


def open_tun(path, name, address):
    """The device is in the namespace @path; this process is in its own again afterwards."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter(os.open(path, os.O_RDONLY))
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_NO_PI))
    subprocess.run(["ip", "addr", "add", f"{address}/24", "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    enter(home)
    return fd


def forward(here, there, delay_s):
    queue = collections.deque()
    other = {here: there, there: here}
    while True:
        wait = None if not queue else max(0, queue[0][0] - time.monotonic())
        for fd in select.select([here, there], [], [], wait)[0]:
            queue.append((time.monotonic() + delay_s, other[fd], os.read(fd, 65536)))
        while queue and queue[0][0] <= time.monotonic():
            _, fd, packet = queue.popleft()
            try:
                os.write(fd, packet)
            except OSError:
                pass  # lost, as on any link


def main():
    near, far, net, delay_ms = sys.argv[1:]
    here = open_tun(near, f"to{net.rsplit('.', 1)[1]}", f"{net}.1")
    there = open_tun(far, "e0", f"{net}.2")
    print("ready", flush=True)
    forward(here, there, int(delay_ms) / 1000)


main()
