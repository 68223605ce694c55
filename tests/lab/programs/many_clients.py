#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Opens COUNT connections, talks on every second one, closes all, and stays: HOST PORT COUNT."""

import socket
import sys
import time

host, port, count = sys.argv[1:]
kept = []
for _ in range(int(count)):
    kept.append(socket.create_connection((host, int(port))))
    time.sleep(0.003)
time.sleep(2)
for connection in kept[::2]:
    connection.sendall(b"ping")
for connection in kept:
    connection.close()
print('{"closed": %d}' % len(kept), flush=True)
time.sleep(3600)
