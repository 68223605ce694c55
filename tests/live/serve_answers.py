# SPDX-License-Identifier: GPL-2.0-only
"""What finwait serve answers, to whom, and in which format."""

import json
import os
import signal
import socket
import subprocess
import tempfile

from real_host import check, run, wait_until
from real_tracer import FINWAIT
from serve_host import OPENMETRICS, Service, UnixConnection, parse


def expect(answer, status, content_type=None):
    check(answer[0] == status, f"status {answer[0]} instead of {status}: {answer[2][:200]}")
    if content_type:
        check(answer[1]["content-type"] == content_type, answer[1]["content-type"])
    return answer


def every_path_and_method_has_its_answer():
    with Service() as service:
        expect(service.ask("/nothing"), 404)
        expect(service.ask("/metrics/"), 404)
        answer = expect(service.ask("/metrics", "POST"), 405)
        check(answer[1]["allow"] == "GET, HEAD", answer[1]["allow"])
        expect(service.ask("/metrics", "DELETE"), 405)
        answer = expect(service.ask("/healthz"), 200, "application/json")
        health = json.loads(answer[2])
        check(health["status"] == "ok" and health["loop_idle_seconds"] < 3, f"{health}")
        get = expect(service.ask("/metrics"), 200)
        head = expect(service.ask("/metrics", "HEAD"), 200)
        check(not head[2] and int(head[1]["content-length"]) > 5000, f"{head}")
        check(head[1]["content-type"] == get[1]["content-type"], f"{head[1]}")
        service.stop()


def a_connection_is_kept():
    with Service() as service:
        connection = service.connection()
        for path in ("/healthz", "/metrics", "/nothing", "/metrics"):
            service.ask(path, connection=connection)
            check(connection.sock is not None, f"closed after {path}")
            source = connection.sock.getsockname()
        check(connection.sock.getsockname() == source, "another connection")


def accept_chooses_the_format():
    with Service("--label", 'site=a"b\\c', "--label", "rack=7") as service:
        text = expect(service.ask("/metrics"), 200, "text/plain; version=0.0.4; charset=utf-8")
        check(b"# EOF" not in text[2], "text has an EOF")
        om = expect(service.ask("/metrics", Accept=OPENMETRICS), 200,
                    "application/openmetrics-text; version=1.0.0; charset=utf-8")
        check(om[2].endswith(b"# EOF\n"), f"no EOF: {om[2][-80:]}")
        for body in (text[2].decode(), om[2].decode()):
            samples = parse(body)
            wanted = ("finwait_build_info", "site", 'a\\"b\\\\c', "rack", "7", "version", "0.1.0")
            check(samples.get(wanted) == 1, f"no {wanted}")
            check(all(key[1:3] == wanted[1:3] for key in samples), "a sample without the label")


def promtool_finds_nothing():
    with Service() as service:
        text = service.text()
        result = run(["promtool", "check", "metrics"], input=text.encode())
    check(result.returncode == 0, result.stderr.decode())
    check(not result.stdout and not result.stderr, f"{result.stdout}{result.stderr}")


def labels_that_cannot_be_are_refused():
    for label in ("state=x", "9=x", "__a=x", "a"):
        result = run([FINWAIT, "serve", "--label", label])
        check(result.returncode == 2, f"{label}: status {result.returncode}")
        check(b"--label" in result.stderr, result.stderr.decode())


def write_token(path, token, mode=0o640):
    with open(path, "w", encoding="ascii") as file:
        file.write(token + "\n")
    os.chmod(path, mode)


def a_token_is_needed():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "token")
        os.chmod(directory, 0o755)
        write_token(path, "s3cret")
        # Whom it becomes may read it: else it is not read again.
        os.chown(path, 0, 65534)
        with Service("--token-file", path) as service:
            for wrong in ({}, {"Authorization": "Bearer s3cre"}, {"Authorization": "Bearer "},
                          {"Authorization": "Bearer s3cret2"}, {"Authorization": "s3cret"},
                          {"Authorization": "Bearer S3cret"}):
                for where in ("/metrics", "/", "/report.json", "/nothing"):
                    answer = expect(service.ask(where, **wrong), 401)
                    check(answer[1]["www-authenticate"] == "Bearer", f"{answer[1]}")
            expect(service.ask("/metrics", Authorization="Bearer s3cret"), 200)
            expect(service.ask("/healthz"), 200)
            write_token(path, "n3wtoken")
            service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "reloaded" in service.stderr(), 20, "the token to be read")
            expect(service.ask("/metrics", Authorization="Bearer s3cret"), 401)
            expect(service.ask("/metrics", Authorization="Bearer n3wtoken"), 200)
            os.unlink(path)
            service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "cannot read the secret" in service.stderr(), 20, "a complaint")
            expect(service.ask("/metrics", Authorization="Bearer n3wtoken"), 200)
            check("n3wtoken" not in service.stderr(), "the token is in the log")


def a_secret_that_all_may_read_is_refused():
    with tempfile.NamedTemporaryFile() as file:
        write_token(file.name, "s3cret", 0o644)
        result = run([FINWAIT, "serve", "--token-file", file.name])
    check(result.returncode == 1, f"status {result.returncode}")
    check(b"everybody may read" in result.stderr, result.stderr.decode())


def a_unix_socket_answers_and_is_taken_over():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "http")
        for _ in range(2):  # the second finds what the first, killed, has left
            with Service("--listen", f"unix:{path}") as service:
                answer = service.ask("/metrics", connection=UnixConnection(path))
                expect(answer, 200)
                check(os.stat(path).st_mode & 0o777 == 0o660, oct(os.stat(path).st_mode))
        with Service("--listen", f"unix:{path}"):
            result = run([FINWAIT, "serve", "--listen", f"unix:{path}"])
            check(result.returncode == 1 and b"in use" in result.stderr, f"{result.stderr}")


def a_port_that_is_taken_is_refused():
    with Service() as service:
        result = run([FINWAIT, "serve", "--listen", f"127.0.0.1:{service.port}"])
    check(result.returncode == 1, f"status {result.returncode}")
    check(b"cannot listen" in result.stderr and b"--listen" in result.stderr, result.stderr)


def the_page_and_the_report_are_of_the_window():
    with Service("--window", "10s") as service:
        page = expect(service.ask("/"), 200, "text/html; charset=utf-8")
        check(page[2].startswith(b"<!doctype html>"), page[2][:80])
        check(page[1]["refresh"].isdigit(), "it does not refresh itself")
        check("default-src 'none'" in page[1]["content-security-policy"], f"{page[1]}")
        spans = []

        def has_begun_anew():
            answer = expect(service.ask("/report.json"), 200, "application/json")
            about = json.loads(answer[2])["about"]
            check(about["window_ns"] == 10_000_000_000, f"{about}")
            spans.append(about["span_ns"])
            return len(spans) > 1 and spans[-1] < spans[-2]

        wait_until(has_begun_anew, 40, "the older analyses to begin anew", 0.5)
        check(max(spans) < 13_000_000_000, f"{spans}")
        check(spans[-1] > 4_000_000_000, f"{spans}")
        service.stop()


def a_service_manager_is_told():
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX,
                                                                   socket.SOCK_DGRAM) as manager:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "notify")
        manager.bind(path)
        os.chmod(path, 0o777)
        manager.settimeout(60)
        with Service(NOTIFY_SOCKET=path, WATCHDOG_USEC="2000000") as service:
            check(manager.recv(1000) == b"READY=1", "not ready first")
            check(manager.recv(1000) == b"WATCHDOG=1", "no sign of life")
            service.process.send_signal(signal.SIGHUP)
            seen = b""
            while b"RELOADING=1" not in seen:
                seen = manager.recv(1000)
            check(b"MONOTONIC_USEC=" in seen, f"{seen}")
            while seen != b"READY=1":
                seen = manager.recv(1000)
            service.process.send_signal(signal.SIGTERM)
            while b"STOPPING=1" not in seen:
                seen = manager.recv(1000)


def the_journal_reads_levels():
    with subprocess.Popen([FINWAIT, "serve", "--listen", "256.0.0.1:1"], stderr=subprocess.PIPE,
                          env=os.environ) as plain:
        said = plain.stderr.read()
    check(said.startswith(b"finwait: "), said)
    with tempfile.TemporaryFile() as file:
        stat = os.fstat(file.fileno())
        subprocess.run([FINWAIT, "serve", "--listen", "256.0.0.1:1"], stderr=file, check=False,
                       env={**os.environ, "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
        said = os.pread(file.fileno(), 1000, 0)
    check(said.startswith(b"<3>finwait: "), said)


CASES = [
    every_path_and_method_has_its_answer, a_connection_is_kept, accept_chooses_the_format,
    promtool_finds_nothing, labels_that_cannot_be_are_refused, a_token_is_needed,
    a_secret_that_all_may_read_is_refused, a_unix_socket_answers_and_is_taken_over,
    a_port_that_is_taken_is_refused, the_page_and_the_report_are_of_the_window,
    a_service_manager_is_told, the_journal_reads_levels,
]
