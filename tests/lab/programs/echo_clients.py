#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clients that connect, ask once and close: HOST PORT CLIENTS PAUSE_S TIMEOUT_S. Counts how long
the slowest took, in ms."""

import socket
import sys
import threading
import time

from account import Account

ACCOUNT = Account()


def ask(host, port, timeout_s):
    begin = time.monotonic()
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            connection.sendall(b"hi")
            connection.recv(9)
        ACCOUNT.add("ok")
    except TimeoutError:
        ACCOUNT.add("timeouts")
    except OSError:
        ACCOUNT.add("errors")
    ACCOUNT["slowest_ms"] = max(ACCOUNT["slowest_ms"], round((time.monotonic() - begin) * 1000))


def client(host, port, pause_s, timeout_s):
    while True:
        ask(host, port, timeout_s)
        time.sleep(pause_s)


def main():
    host, port, clients, pause_s, timeout_s = sys.argv[1:]
    for _ in range(int(clients)):
        arguments = (host, int(port), float(pause_s), float(timeout_s))
        threading.Thread(target=client, args=arguments, daemon=True).start()
    time.sleep(3600)


main()
