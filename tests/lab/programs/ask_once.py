#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asks once, and lets the server close first: HOST PORT."""

import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2])), 5) as connection:
    connection.sendall(b"hi")
    while connection.recv(99):
        pass
