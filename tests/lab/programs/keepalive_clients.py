#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clients with one connection each, used again and again: HOST:PORT PATH CLIENTS PAUSE_S."""

import http.client
import sys
import threading
import time

from account import Account

ACCOUNT = Account()


def client(where, path, pause_s):
    connection = http.client.HTTPConnection(where, timeout=20)
    while True:
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            ACCOUNT.add("ok" if response.status < 500 else "bad")
        except (OSError, http.client.HTTPException):
            ACCOUNT.add("errors")
            connection.close()
        time.sleep(pause_s)


def main():
    where, path, clients, pause_s = sys.argv[1:]
    for _ in range(int(clients)):
        arguments = (where, path, float(pause_s))
        threading.Thread(target=client, args=arguments, daemon=True).start()
    time.sleep(3600)


main()
