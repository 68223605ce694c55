#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clients that ask for a page again and again, each time on a new connection.

    http_clients.py HOST:PORT PATH CLIENTS PAUSE_S TIMEOUT_S [SOURCE]
"""

import http.client
import sys
import threading
import time

from account import Account

ACCOUNT = Account()


def ask(where, path, timeout_s, source):
    host, port = where.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout_s,
                                            source_address=(source, 0) if source else None)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
        ACCOUNT.add("ok")
    except TimeoutError:
        ACCOUNT.add("timeouts")
    except (OSError, http.client.HTTPException):
        ACCOUNT.add("errors")
    finally:
        connection.close()


def client(where, path, pause_s, timeout_s, source):
    while True:
        ask(where, path, timeout_s, source)
        time.sleep(pause_s)


def main():
    where, path, clients, pause_s, timeout_s, *source = sys.argv[1:]
    for _ in range(int(clients)):
        arguments = (where, path, float(pause_s), float(timeout_s), source[0] if source else None)
        threading.Thread(target=client, args=arguments, daemon=True).start()
    time.sleep(3600)


main()
