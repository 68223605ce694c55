#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server that queues its connections for a thread which has died: PORT. Nothing is ever read."""

import socket
import sys

from account import Account

account, kept = Account(), []
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
while True:
    kept.append(listener.accept()[0])
    account.add("accepted")
