# SPDX-License-Identifier: GPL-2.0-only
"""The files that finwait serve makes: its socket and its spool, where others may be before it."""

import os
import pwd
import signal
import socket
import stat

from real_host import check, run, wait_until
from real_tracer import FINWAIT
from safety_files import NOBODY, OLD, Directory, content
from serve_host import Service, UnixConnection

STORE = ("--clickhouse", "http://127.0.0.1:9/")


def refused(words, *args):
    result = run([FINWAIT, "serve", "--listen", "127.0.0.1:0", *args], timeout=60)
    said = result.stderr.decode()
    check(result.returncode == 1 and words in said, f"status {result.returncode}: {said}")


def only_a_socket_without_a_listener_is_replaced():
    with Directory(0o755) as own:
        own.put("file")
        os.symlink(own.path("file"), own.path("link"))
        os.mkfifo(own.path("pipe"))
        os.mkdir(own.path("dir"))
        before = sorted(os.listdir(own.name))
        for name in before:
            refused("in use", "--listen", f"unix:{own.path(name)}")
        check(sorted(os.listdir(own.name)) == before, f"{os.listdir(own.name)}")
        check(content(own.path("file")).decode() == OLD, "the file is another")
        with socket.socket(socket.AF_UNIX) as left_over:
            left_over.bind(own.path("socket"))
        with Service("--listen", f"unix:{own.path('socket')}") as service:
            answer = service.ask("/healthz", connection=UnixConnection(own.path("socket")))
            check(answer[0] == 200, answer)
            service.stop()


def a_socket_needs_a_directory_of_root():
    with Directory(0o1777) as shared, Directory(0o755) as others:
        os.chown(others.name, NOBODY, NOBODY)
        for directory in (shared, others):
            refused("other users may replace", "--listen", f"unix:{directory.path('http')}")
            check(not os.listdir(directory.name), "it left something there")


def a_socket_is_never_open_to_all():
    """As strace would show: it is bound with its mode."""
    with Directory(0o755) as own:
        path = own.path("http")
        with Service("--listen", f"unix:{path}") as service:
            st = os.stat(path)
            check(stat.S_IMODE(st.st_mode) == 0o660, oct(st.st_mode))
            user = pwd.getpwuid(st.st_uid).pw_name
            check(f"going on as user {user} " in service.stderr(), service.stderr())
            service.stop()


def a_spool_of_others_is_refused():
    for mode, owner in ((0o777, NOBODY), (0o770, NOBODY), (0o700, 0), (0o700, 1)):
        with Directory(0o755) as own:
            spool = own.path("spool")
            os.mkdir(spool)
            os.chmod(spool, mode)
            os.chown(spool, owner, owner)
            planted = os.path.join(spool, "00000000000000000001-1.json")
            with open(planted, "w", encoding="ascii") as file:
                file.write('{"planted":1}\n')
            refused("is no spool of user", *STORE, "--spool-dir", spool)
            check(os.path.exists(planted), "it touched what was there")
    with Directory(0o755) as own:
        os.mkdir(own.path("elsewhere"))
        os.chown(own.path("elsewhere"), NOBODY, NOBODY)
        os.symlink(own.path("elsewhere"), own.path("spool"))
        refused("cannot use", *STORE, "--spool-dir", own.path("spool"))


def a_spool_of_its_own_is_used_in_the_sandbox():
    with Directory(0o755) as own:
        spool = own.path("spool")
        for _ in range(2):
            with Service(*STORE, "--spool-dir", spool) as service:
                server = socket.create_server(("127.0.0.1", 0))
                client = socket.create_connection(server.getsockname())
                server.accept()[0].close()
                client.close()
                wait_until(lambda: os.listdir(spool), 40, "a batch in the spool", 0.2)
                check("are lost" not in service.stderr(), service.stderr())
                service.process.send_signal(signal.SIGTERM)
                check(service.process.wait(60) == 0, service.stderr())
        st = os.stat(spool)
        check(stat.S_IMODE(st.st_mode) == 0o700, oct(st.st_mode))


CASES = [
    only_a_socket_without_a_listener_is_replaced, a_socket_needs_a_directory_of_root,
    a_socket_is_never_open_to_all, a_spool_of_others_is_refused,
    a_spool_of_its_own_is_used_in_the_sandbox,
]
