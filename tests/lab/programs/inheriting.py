#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server whose children inherit its listening socket: PORT CHILDREN. They only sleep.

Without children it tries to take the port every half second, as a restarted server does."""

import os
import socket
import sys
import time

from account import Account


def main():
    port, children = (int(arg) for arg in sys.argv[1:])
    account, listener = Account(), socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    while True:
        try:
            listener.bind(("0.0.0.0", port))
            break
        except OSError:
            account.add("failed")
            time.sleep(0.5)
    listener.listen(16)
    listener.set_inheritable(True)
    for _ in range(children):
        os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "300")
    time.sleep(3600)


main()
