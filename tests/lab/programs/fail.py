#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A process called NAME whose connections fail: NAME PORT TIMEOUT_S (0: the kernel's) PAUSE_S."""

import errno
import socket
import sys
import time

from account import Account


def main():
    name, port, timeout_s, pause_s = sys.argv[1:]
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(name)
    account = Account()
    while True:
        try:
            socket.create_connection(("127.0.0.1", int(port)), float(timeout_s) or None).close()
        except TimeoutError as error:
            account.add("ETIMEDOUT" if error.errno else "timeout")
        except OSError as error:
            account.add(errno.errorcode[error.errno])
        time.sleep(float(pause_s))


main()
