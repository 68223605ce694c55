#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server without SO_REUSEADDR that closes first, is restarted, and cannot have its port: PORT."""

import socket
import sys
import time

from account import Account

account = Account()
port = int(sys.argv[1])
while True:
    listener = socket.socket()
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        account.add("failed")
        listener.close()
        time.sleep(0.5)
        continue
    listener.listen(64)
    for _ in range(10):
        connection, _ = listener.accept()
        connection.recv(99)
        connection.sendall(b"ok")
        connection.close()
    account.add("restarts")
    listener.close()
