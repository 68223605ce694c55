#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Posts a body that is announced as too large, and then neither reads nor closes: HOST PORT COUNT."""

import socket
import sys
import time

host, port, count = sys.argv[1:]
kept = []
for _ in range(int(count)):
    kept.append(socket.create_connection((host, int(port))))
    kept[-1].sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nabc")
    time.sleep(0.1)
print('{"posted": %d}' % len(kept), flush=True)
time.sleep(3600)
