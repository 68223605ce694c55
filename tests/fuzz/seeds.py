#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: tests/fuzz/seeds.py DIRECTORY		what fuzzing begins with: DIRECTORY/TARGET/NAME

Small stories in the words of play.c (see head_init() and those after it there), and samples of what the
other parsers read. The same files each time.
"""

import os
import struct
import sys

(STATE, RESET_SENT, TW_SCHED, TW_END, TW_SEEN, REQ_SCHED, REQ_END, ACCEPTED, BIND_FAILED, SNAP_BEGIN,
 SOCK, HOLDER, PROCESS, SNAP_NETNS, SNAP_END, LOST, ADVANCE, UNSETTLED, NAME, RAW) = range(20)
(ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK,
 LISTEN, CLOSING) = range(1, 12)
ORPHAN, FIN_RECEIVED, FIN_ACKED, HAS_FILE, LINGER2_NEG, OWNER = 1, 2, 4, 8, 16, 128
# The frame that names a cause, by its place in enum fw_frame.
REARMED, EXPIRED, RESET, SEGMENT, REUSED, PURGED, ABORT, COMPLETED = range(8)


def ns(value):
    """As input_ns() reads it: shift, byte."""
    shift = max(0, value.bit_length() - 8)
    return bytes((shift, value >> shift))


class Story:
    """Of the socket .who: cookie, address, 4-tuple."""

    def __init__(self, top=10, most=200, how=0, states=0):
        self.bytes = bytes((top, most, how, states)) + ns(10**9) + ns(30 * 10**9) + ns(0) + b"\0"
        self.who = 0o11

    def head(self, kind, old, new, after, flags=0, more=0):
        self.bytes += bytes((kind, self.who, old | new << 4, more)) + ns(after)
        self.bytes += struct.pack("<H", flags)
        return self

    def full(self, old, new, after=10**6, flags=0, segs=0, err=0, pid=0, more=0, kind=STATE):
        self.head(kind, old, new, after, flags | (OWNER if pid else 0), more)
        self.bytes += ns(100) + bytes((5, segs, 0, pid, err))
        return self

    def mini(self, kind, state, after=10**6, cause=EXPIRED, expires=15000, more=0):
        self.head(kind, state, state, after, 0, more)
        self.bytes += struct.pack("<H", expires) + bytes((1, cause))
        return self

    def sock(self, state, unread=0, obj=0, after=1000):
        self.head(SOCK, state, state, after, HAS_FILE)
        self.bytes += bytes((1, 1)) + struct.pack("<H", 100) + ns(1000) + ns(unread)
        self.bytes += bytes((0, obj))
        return self

    def snapshot(self, *parts):
        self.head(SNAP_BEGIN, 0, 0, 1000)
        for part in parts:
            part()
        return self.head(SNAP_NETNS, 0, 0, 1000).head(SNAP_END, 0, 0, 1000)

    def held(self, pid, fd=5, nofile=1024):
        self.head(HOLDER, 0, 0, 10).bytes += bytes((pid, fd))
        self.head(PROCESS, 0, 0, 10).bytes += bytes((pid, 1)) + ns(nofile) + ns(100)
        return self

    def name(self, comm, path=b"/system.slice/x.service"):
        self.bytes += bytes((NAME,)) + comm.ljust(16, b"\0") + path.ljust(32, b"\0")
        return self

    def opened(self):
        return self.full(CLOSE, SYN_SENT, pid=3, more=8).full(SYN_SENT, ESTABLISHED, segs=1)

    def closing(self):
        return self.opened().full(ESTABLISHED, FIN_WAIT_1, 10**7, pid=3, segs=1)


def stories():
    hostile = Story(how=7).name(b'","end":"\x1b[2J\xff', b"/</script><img src=x>&\xc3")
    yield "time_wait", (Story().name(b"curl").closing().full(FIN_WAIT_1, FIN_WAIT_2, segs=2, flags=ORPHAN)
                        .mini(TW_SCHED, FIN_WAIT_2).full(FIN_WAIT_2, CLOSE, flags=ORPHAN, segs=2)
                        .mini(TW_SCHED, TIME_WAIT, 10**9, REARMED).mini(TW_END, TIME_WAIT, 60 * 10**9))
    for name, cause in (("reset", RESET), ("reopened", SEGMENT), ("reused", REUSED), ("purged", PURGED)):
        yield name, (Story().closing().full(FIN_WAIT_1, CLOSE, segs=2, flags=ORPHAN | FIN_RECEIVED)
                     .mini(TW_SCHED, TIME_WAIT).mini(TW_END, TIME_WAIT, 10**9, cause))
    yield "closing", (Story().closing().full(FIN_WAIT_1, CLOSING, segs=2)
                      .full(CLOSING, CLOSE, segs=3).mini(TW_SCHED, TIME_WAIT))
    yield "close_wait", (hostile.opened().full(ESTABLISHED, CLOSE_WAIT, flags=FIN_RECEIVED, segs=2)
                         .full(CLOSE_WAIT, LAST_ACK, 40 * 10**9, pid=3).full(LAST_ACK, CLOSE, segs=3))
    yield "half_open", (Story().mini(REQ_SCHED, SYN_RECV).mini(REQ_SCHED, SYN_RECV, 10**9, REARMED)
                        .mini(REQ_END, SYN_RECV, 3 * 10**9))
    accepted = Story().mini(REQ_SCHED, SYN_RECV).full(LISTEN, SYN_RECV, segs=1, more=16)
    yield "accepted", (accepted.mini(REQ_END, SYN_RECV, 10, COMPLETED)
                       .full(SYN_RECV, ESTABLISHED, segs=2).full(0, 0, pid=4, kind=ACCEPTED))
    yield "refused", Story().full(CLOSE, SYN_SENT, pid=3).full(SYN_SENT, CLOSE, err=111)
    leak = Story().name(b"java")
    leak.snapshot(lambda: leak.sock(CLOSE_WAIT, 1), lambda: leak.held(3))
    yield "leak", leak.snapshot(lambda: leak.sock(CLOSE_WAIT, 1, after=40 * 10**9),
                                lambda: leak.held(3), lambda: leak.held(4))
    found = Story(how=16)
    found.snapshot(lambda: found.sock(TIME_WAIT, 0, 2), lambda: found.sock(LISTEN))
    found.bytes += bytes((LOST, 7, UNSETTLED, ADVANCE)) + ns(10**9)
    yield "lost", found.full(CLOSE_WAIT, CLOSE).full(0, 0, err=98, pid=5, kind=BIND_FAILED)
    raw = Story()
    raw.bytes += bytes((RAW, 136)) + bytes(28) + bytes((STATE, 2)) + bytes(10) + bytes(216)
    yield "raw", raw


OPTIONS = {
    "filters": "-4\n-L\n80,443\n-D\n5432\n--local\n10.0.0.0/8\n--remote\n::1\n-p\n1\n--comm\nng*",
    "states": "--state\ntime_wait,fin_wait_2\n--min-duration\n1.5s\n-6\n--cgroup\n/system.slice\n30s",
    "output": "-f\njson\n-o\nfile\n-T\n-l\n--wide\n--strict\n--no-snapshot\n-f\nhtml",
    "how": "--hooks\ntimer\n--ring-size\n16\n--half-open-limit\n10\n--max-connections\n1000",
    "wrong": "--state\nnothing\n-L\n65536\n--hooks\nnone\n-f\nxml\n--\nx",
}
TEXTS = {
    "durations": "1.5s", "ms": "250ms", "ports": "80,443,65535", "cidr": "10.0.0.0/8",
    "cidr6": "2001:db8::/32", "mapped": "::ffff:192.0.2.1/120", "state": "fin-wait-1",
    "number": "4999", "hostile": 'caf\u00e9 "\\\x1b[2J\x07\U0001f4a9', "hours": "2h",
    "at": "2026-11-22T19:08:14.25Z", "at_far": "9999-12-31T23:59:59.999999999Z",
}
KSYMS = (
    "ffffffff81000000 T _text\nffffffff82065480 t inet_twsk_kill\nffffffff82065500 T tcp_v4_rcv\n"
    "ffffffff82065600 t tcp_v4_rcv.cold\nffffffff82065700 t mod_timer.constprop.0\n"
    "ffffffffc0000000 t x_init\t[x]\n0000000000000000 A fixed_percpu_data\n",
    "0000000000000000 t tcp_v4_rcv\n",
)
PROC_NET = (
    "Tcp: RtoAlgorithm ActiveOpens PassiveOpens CurrEstab\nTcp: 1 100 200 3\n"
    "TcpExt: TW TWKilled TCPTimeWaitOverflow\nTcpExt: 5 6 7\n"
    "x\nTCP: inuse 5 orphan 0 tw 3 alloc 9 mem 1\n",
    "8080,9000-9100\nTCP: inuse\n1-65535,5\n",
)


HEADER = "".join(f"{name} {value}\n" for name, value in (
    ("finwait", "0.1.0"), ("kernel", "6.18.0"), ("arch", "x86_64"), ("boot_id", "1-2"),
    ("hooks", "timer"), ("session", 7), ("part", 1), ("hz", 250), ("start_ns", 1000),
    ("wall_offset_ns", 0), ("rearms_unseen", 1), ("accepts_unseen", 0), ("filtered", 0)))
# enum fw_mark_kind
(M_TIME, M_LOST, M_SUPPRESSED, M_CGROUP, M_NETNS, M_VALUES_BEGIN, M_VALUES, M_COST, M_END) = range(9)


def mark(kind, number=0, text=None, after=1):
    """As pack.c writes it. Text None: there is none."""
    n = 0 if text is None else len(text) + 1
    length = bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7))
    return bytes((0, kind, after << 1, number)) + length + (text or b"")


def block(content, header=False):
    data = content.encode() if isinstance(content, str) else content
    return bytes((header,)) + struct.pack("<H", len(data)) + data


def recordings():
    """Of marks alone: as they should be, without the text that they need, with values of no kernel."""
    kinds = range(M_TIME, M_END + 1)
    texts = {
        "marks": [mark(k, 1, b"tcp_tw_reuse 2\nTW 5\n") for k in kinds],
        "no_text": [mark(k, 1) for k in kinds],
        "extremes": [mark(M_VALUES_BEGIN), mark(M_VALUES, 1, b"TW 0\nTWKilled 0\n"),
                     mark(M_VALUES_BEGIN),
                     mark(M_VALUES, 1, b"ip_local_port_low -9223372036854775808\n"
                                       b"TW 9223372036854775807\nTWKilled 9223372036854775807"
                                       b"\n"),
                     mark(M_END)],
    }
    for name, items in texts.items():
        for command in (0, 4, 6, 7):
            yield f"{name}_{command}", (bytes((command, 1)) + block(HEADER, True) +
                                        block(b"".join(items)))


def write(directory, target, name, data):
    folder = os.path.join(directory, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    directory = sys.argv[1]
    for name, story in stories():
        for target in ("tracker", "json", "html"):
            write(directory, target, name, story.bytes)
        write(directory, "text", name, b"\x50" + story.bytes)
    for name, data in recordings():
        write(directory, "blocks", name, data)
    for target, samples in (("options", OPTIONS), ("parse", TEXTS), ("ksyms", dict(enumerate(KSYMS))),
                            ("netns_values", dict(enumerate(PROC_NET)))):
        for name, text in samples.items():
            write(directory, target, str(name), text)


if __name__ == "__main__":
    main()
