#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Keeps CLIENTS connections and uses each again after a pause, without looking whether the server
has closed it: HOST PORT CLIENTS SHORT_S LONG_S. Every second pause is the long one."""

import http.client
import sys
import threading
import time

from account import Account

ACCOUNT = Account()


def client(host, port, pauses):
    connection = http.client.HTTPConnection(host, port, timeout=10)
    while True:
        for pause_s in pauses:
            try:
                connection.request("GET", "/")
                connection.getresponse().read()
                ACCOUNT.add("ok")
            except (OSError, http.client.HTTPException):
                ACCOUNT.add("failed")
                connection.close()
                continue
            time.sleep(pause_s)


def main():
    host, port, clients, short_s, long_s = sys.argv[1:]
    pauses = (float(short_s), float(long_s))
    for _ in range(int(clients)):
        arguments = (host, int(port), pauses)
        threading.Thread(target=client, args=arguments, daemon=True).start()
    time.sleep(3600)


main()
