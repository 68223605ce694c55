#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Two workers share PORT by SO_REUSEPORT. The second stops accepting: a dead lock. PORT BACKLOG"""

import os
import socket
import sys
import time


def main():
    port, backlog = (int(arg) for arg in sys.argv[1:])
    stuck = os.fork() == 0
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write("worker-stuck" if stuck else "worker-fine")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(backlog)
    while not stuck:
        connection, _ = listener.accept()
        connection.recv(99)
        connection.sendall(b"ok")
        connection.close()
    time.sleep(3600)


main()
