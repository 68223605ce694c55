#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""EADDRNOTAVAIL for three reasons that are not ports: ::1 without IPv6, bind() and connect() from an
address that the host does not have."""

import collections
import errno
import json
import socket
import time

ATTEMPTS = {
    "connect_ipv6": lambda: socket.create_connection(("::1", 5432)),
    "listen": lambda: socket.create_server(("10.9.8.7", 80)),
    "connect_source": lambda: socket.create_connection(("127.0.0.1", 5432),
                                                       source_address=("10.9.8.7", 0)),
}
counts = collections.Counter()
while True:
    for name, attempt in ATTEMPTS.items():
        try:
            attempt()
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                counts[name] += 1
                counts["all"] += 1
    print(json.dumps(counts), flush=True)
    time.sleep(0.05)
