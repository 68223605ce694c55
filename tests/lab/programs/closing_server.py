#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server that answers one line and closes after IDLE_S: HOST PORT IDLE_S."""

import socket
import sys
import threading
import time

from account import Account

ACCOUNT = Account()


def serve(connection, idle_s):
    try:
        connection.recv(99)
        connection.sendall(b"answer\n")
        time.sleep(idle_s)
    except OSError:
        ACCOUNT.add("errors")
    connection.close()
    ACCOUNT.add("closed")


def main():
    host, port, idle_s = sys.argv[1:]
    listener = socket.create_server((host, int(port)), backlog=256)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, float(idle_s)), daemon=True).start()


main()
