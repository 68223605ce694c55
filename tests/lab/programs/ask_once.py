#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asks COUNT times on a new connection, and lets the server close first: HOST PORT [COUNT]."""

import socket
import sys

host, port, *count = sys.argv[1:]
for _ in range(int(count[0]) if count else 1):
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(b"hi")
        while connection.recv(99):
            pass
