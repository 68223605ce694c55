#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server that accepts one connection every PAUSE_S: HOST PORT BACKLOG PAUSE_S. It echoes."""

import socket
import sys
import threading
import time

from account import Account

ACCOUNT = Account()


def serve(connection):
    try:
        while connection.recv(99):
            connection.sendall(b"ok")
    except OSError:
        pass
    connection.close()


def main():
    host, port, backlog, pause_s = sys.argv[1:]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(int(backlog))
    while True:
        connection, _ = listener.accept()
        ACCOUNT.add("accepted")
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
        time.sleep(float(pause_s))


main()
