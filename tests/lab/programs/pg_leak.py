#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""An application that connects to PostgreSQL for each query and forgets the connection: PORT PAUSE_S."""

import socket
import struct
import sys
import time

from account import Account


def startup(user):
    body = struct.pack("!I", 196608) + b"user\0" + user + b"\0database\0postgres\0\0"
    return struct.pack("!I", len(body) + 4) + body


def query(text):
    return b"Q" + struct.pack("!I", len(text) + 5) + text + b"\0"


def receive(connection):
    """Up to ReadyForQuery, or an error."""
    data = b""
    while not data.endswith(b"Z\0\0\0\5I"):
        more = connection.recv(4096)
        if not more or data.startswith(b"E"):
            return False
        data += more
    return True


def main():
    port, pause_s = int(sys.argv[1]), float(sys.argv[2])
    account, kept = Account(), []
    while True:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(startup(b"postgres"))
        if receive(connection):
            connection.sendall(query(b"select 1"))
            receive(connection)
            kept.append(connection)
            account.add("leaked")
        else:
            connection.close()
            account.add("refused")
        time.sleep(pause_s)


main()
