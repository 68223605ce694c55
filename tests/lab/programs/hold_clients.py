#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connects every PAUSE_S and keeps the connection: HOST PORT COUNT PAUSE_S [WORD].

It sends WORD at once, if there is one, and never reads. An error is counted, and tried again."""

import socket
import sys
import time

from account import Account


def main():
    host, port, count, pause_s, *word = sys.argv[1:]
    account, kept = Account(), []
    while len(kept) < int(count):
        try:
            kept.append(socket.create_connection((host, int(port)), 5))
            if word:
                kept[-1].sendall(word[0].encode())
            account.add("connected")
        except OSError:
            account.add("errors")
        time.sleep(float(pause_s))
    time.sleep(3600)


main()
