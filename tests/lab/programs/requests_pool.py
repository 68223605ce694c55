#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A blocking HTTP client with a pool: all SIZE connections are used once, then one: HOST:PORT SIZE.

It replaces a connection that the server has closed when it is its turn: never, for the idle ones."""

import http.client
import sys
import time

from account import Account


def main():
    where, size = sys.argv[1], int(sys.argv[2])
    account = Account()
    pool = [http.client.HTTPConnection(where) for _ in range(size)]
    turn = list(pool)
    while True:
        for connection in turn:
            connection.request("GET", "/")
            connection.getresponse().read()
            account.add("ok")
        turn = pool[:1]
        time.sleep(0.3)


main()
