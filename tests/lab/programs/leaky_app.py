#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""An application that asks on a new connection every PAUSE_S, reads the answer and forgets to close:
HOST PORT PAUSE_S. With READ_END in the environment it reads up to the end first."""

import os
import socket
import sys
import time

from account import Account


def main():
    host, port, pause_s = sys.argv[1:]
    account, kept = Account(), []
    while True:
        connection = socket.create_connection((host, int(port)))
        connection.sendall(b"query\n")
        connection.recv(99)
        while "READ_END" in os.environ and connection.recv(99):
            pass
        kept.append(connection)
        account.add("leaked")
        time.sleep(float(pause_s))


main()
