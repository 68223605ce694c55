# SPDX-License-Identifier: GPL-2.0-only
"""What finwait says: to a terminal, to a parser, to somebody who made a mistake, and at its end."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from real_host import Netns, check, close_with_reset, reset_pair, run, wait_until
from real_tracer import FINWAIT, FINWAIT_ARGS, Tracer, describe

PORT = 7000
HOSTILE = b'\x1b[31m"\\x\n'
NOT_UTF8 = b"\xff\xfe\xc0\x80\xed\xa0\x80x"
FRONT_ENDS = ("trampoline", "kprobe", "timer")
NOBODY = 65534

# A process that gives itself a name and connects; both ends are its own.
RENAMED = """
import ctypes, socket, struct
ctypes.CDLL(None).prctl(15, {name!r}, 0, 0, 0)
with socket.create_server(("127.0.0.1", {port})) as listener:
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()
"""


def run_renamed(netns, name, port):
    done = netns.run(sys.executable, "-c", RENAMED.format(name=name, port=port))
    check(done.returncode == 0, done.stderr.decode())


def check_json_lines(tracer):
    """Every line is one JSON document of valid UTF-8, for jq as well as for Python."""
    output = tracer.output()
    output.decode("utf-8")
    documents = tracer.objects()
    done = run(["jq", "-e", "-c", "type"], input=output)
    check(done.returncode == 0, f"jq: {done.stderr.decode()}")
    check(done.stdout.split() == [b'"object"'] * len(documents), "jq sees other documents")
    check(len(documents) == output.count(b"\n"), "more lines than documents")


def check_harmless(tracer):
    """Nothing in the text can steer a terminal: no control character but the newline, no C1."""
    raw = re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", tracer.output())
    check(not raw, f"raw {raw and raw[0]!r} in the output of {tracer.name}")
    tracer.output().decode("utf-8")


def hostile_process_names():
    kinds = [("timeline", "-f", "json"), ("trace", "-f", "json"), ("timeline",), ("trace",)]
    tracers = [Tracer(*kind) for kind in kinds]
    with Netns() as netns:
        run_renamed(netns, HOSTILE, PORT)
        run_renamed(netns, NOT_UTF8, PORT + 1)
        for tracer in tracers:
            check(tracer.stop() == 0, f"status {tracer.status}")
    for tracer in tracers[:2]:
        check_json_lines(tracer)
        names = {row.get("comm") for row in tracer.objects_of(netns) if row.get("rport") == PORT}
        check(names == {HOSTILE.decode()}, f"the name became {names}")
    for tracer in tracers[2:]:
        check_harmless(tracer)
        check(f":{PORT}".encode() in tracer.output(), "the connections are not in the text")


def what_is_open_is_printed_at_the_end(sig=signal.SIGTERM):
    with Netns() as netns, netns.listen(PORT) as listener:
        json_tracer, text_tracer = Tracer("timeline", "-f", "json"), Tracer("timeline")
        client, server = netns.pair(listener)
        second, second_server = netns.pair(listener)
        second.close()
        second_server.close()
        time.sleep(0.3)
        begin = time.monotonic()
        check(json_tracer.stop(sig) == 0 and text_tracer.stop(sig) == 0, "status is not 0")
        check(time.monotonic() - begin < 10, "stopping took more than 10 s")
        rows = json_tracer.rows(netns, open=True)
        last = sorted(row["states"][-1]["state"] for row in rows)
        check(last == ["ESTABLISHED", "ESTABLISHED", "TIME_WAIT"], f"{[describe(r) for r in rows]}")
        check(not any("end" in row for row in rows), "open, and ended")
        check(text_tracer.output().count(b"still open") >= 3, "the text does not say still open")
        reset_pair(client, server)


def sigint_is_like_sigterm():
    what_is_open_is_printed_at_the_end(signal.SIGINT)


def reader_that_leaves():
    """| head -1 closes the pipe: finwait neither hangs nor crashes, SIGTERM included."""
    with Netns() as netns, netns.listen(PORT) as listener, tempfile.TemporaryFile() as messages:
        tracer = subprocess.Popen(
            [FINWAIT, "timeline", "-l", *FINWAIT_ARGS], stdout=subprocess.PIPE, stderr=messages
        )
        head = subprocess.Popen(["head", "-1"], stdin=tracer.stdout, stdout=subprocess.PIPE)
        tracer.stdout.close()
        try:
            wait_until(lambda: b"finwait: tracing" in os.pread(messages.fileno(), 4096, 0), 60, "")
            for _ in range(3):
                reset_pair(*netns.pair(listener))
            check(head.wait(20) == 0, "head failed")
            reset_pair(*netns.pair(listener))
            time.sleep(0.3)
            if tracer.poll() is None:
                tracer.send_signal(signal.SIGTERM)
            status = tracer.wait(10)
        finally:
            tracer.kill()
            head.kill()
        check(status in (0, 1, -signal.SIGPIPE), f"status {status}")


def check_refusal(done, status, *words):
    """The status, and a short message that names what it is about."""
    message = done.stderr.decode()
    check(done.returncode == status, f"status {done.returncode} instead of {status}: {message}")
    lines = [line for line in message.splitlines() if line.strip()]
    check(1 <= len(lines) <= 3, f"{len(lines)} lines: {message}")
    check("libbpf:" not in message, f"the library speaks: {message}")
    check(any(word in message for word in words), f"none of {words} in: {message}")


def unknown_flags_and_commands():
    check_refusal(run([FINWAIT, "timeline", "--nonsense"]), 2, "--nonsense", "nonsense")
    check_refusal(run([FINWAIT, "nonsense"]), 2, "nonsense")
    check_refusal(run([FINWAIT, "timeline", "-f", "yaml"]), 2, "yaml")


def bad_filters():
    for cidr in ("10.0.0.0/99", "10.0.0", "2001:db8::/129", "example"):
        check_refusal(run([FINWAIT, "timeline", "--remote", cidr]), 2, cidr)
        check_refusal(run([FINWAIT, "trace", "--local", cidr]), 2, cidr)
    for ports in ("0", "65536", "80,x", "-1"):
        check_refusal(run([FINWAIT, "timeline", "-D", ports]), 2, ports, "65536", "x")
    check_refusal(run([FINWAIT, "timeline", "--min-duration", "fast"]), 2, "fast")
    check_refusal(run([FINWAIT, "timeline", "--state", "NOWHERE"]), 2, "NOWHERE")


def without_root():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        binary = shutil.copy(FINWAIT, directory)
        os.chmod(binary, 0o755)
        nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        for command in ("timeline", "trace"):
            check_refusal(run([*nobody, binary, command]), 1, "root", "CAP_")


def without_btf():
    script = f"mount -t tmpfs none /sys/kernel/btf && exec '{FINWAIT}' timeline"
    check_refusal(run(["unshare", "-m", "sh", "-c", script]), 1, "BTF")


def doctor_names_the_front_end():
    done = run([FINWAIT, "doctor"])
    check(done.returncode == 0, f"status {done.returncode}: {done.stderr.decode()}")
    text = done.stdout.decode()
    for name in FRONT_ENDS:
        check(name in text, f"no word about {name}: {text}")


def help_and_version():
    for args in (["--help"], ["--version"], ["timeline", "--help"]):
        done = run([FINWAIT, *args])
        check(done.returncode == 0 and done.stdout and not done.stderr, f"{args}: {done}")


def filters():
    """Each filter on the same traffic: which server ports are left, and from which side."""
    expected = {
        ("-L", "7001"): {("lport", 7001)},
        ("-D", "7001,7002"): {("rport", 7001), ("rport", 7002)},
        ("-4",): {("lport", 7001), ("rport", 7001), ("lport", 7003), ("rport", 7003)},
        ("-6",): {("lport", 7002), ("rport", 7002)},
        ("--remote", "127.0.0.2/32", "-D", "7003"): {("rport", 7003)},
        ("--local", "::/0", "-L", "7002"): {("lport", 7002)},
        ("--remote", "10.0.0.0/8"): set(),
    }
    tracers = {args: Tracer("timeline", "-f", "json", *args) for args in expected}
    with Netns() as netns:
        for port, address in ((7001, "127.0.0.1"), (7002, "::1"), (7003, "127.0.0.2")):
            with netns.listen(port, address) as listener:
                client, server = netns.pair(listener, address)
                close_with_reset(client)
                server.close()
        for tracer in tracers.values():
            tracer.stop()
    for args, tracer in tracers.items():
        rows = tracer.rows(netns)
        found = {(k, r[k]) for r in rows for k in ("lport", "rport") if 7000 < r.get(k, 0) < 7010}
        check(found == expected[args], f"{' '.join(args)}: {found}")


CASES = [
    hostile_process_names,
    what_is_open_is_printed_at_the_end,
    sigint_is_like_sigterm,
    reader_that_leaves,
    unknown_flags_and_commands,
    bad_filters,
    without_root,
    without_btf,
    doctor_names_the_front_end,
    help_and_version,
    filters,
]
