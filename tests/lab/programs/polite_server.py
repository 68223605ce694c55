#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Answers until the client closes, then closes: HOST PORT."""

import socket
import sys
import threading


def serve(connection):
    while connection.recv(99):
        connection.sendall(b"ok")
    connection.close()


listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=256)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
