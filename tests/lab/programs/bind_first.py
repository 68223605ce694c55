#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""bind(source, 0) before connect(): five destinations share one pool of ports. It wants 60 to each."""

import collections
import errno
import json
import socket
import time

DESTINATIONS = [f"127.0.1.{i}" for i in range(1, 6)]


def connect(destination):
    connection = socket.socket()
    try:
        connection.bind(("127.0.0.6", 0))
        connection.connect((destination, 9000))
    except OSError:
        connection.close()
        raise
    return connection


def main():
    listeners = [socket.create_server((d, 9000), backlog=512) for d in DESTINATIONS]
    counts, kept = collections.Counter(), []
    while True:
        for destination, listener in zip(DESTINATIONS, listeners):
            try:
                kept.append((connect(destination), listener.accept()[0]))
                counts["connected"] += 1
                time.sleep(0.005)
            except OSError as error:
                counts[errno.errorcode[error.errno]] += 1
                time.sleep(0.02)
        print(json.dumps(counts), flush=True)


main()
