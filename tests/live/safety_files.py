# SPDX-License-Identifier: GPL-2.0-only
"""What finwait writes, and where: links, owners, modes, and what stood there before."""

import os
import pwd
import stat
import subprocess
import tempfile
import threading

from real_host import Netns, check, run
from real_tracer import CHURN, FINWAIT, TOP, Tracer

REPLAY = os.path.join(TOP, "tests", "replay", "ends.fwr")
NOBODY = pwd.getpwnam("nobody").pw_uid
OLD = "what stood there before\n"
# Commands that write with -o, and read a recording for it.
WRITERS = (["timeline"], ["trace"], ["report"], ["report", "-f", "html"], ["report", "-f", "json"],
           ["leaks"], ["states"])


class Directory(tempfile.TemporaryDirectory):
    """With that mode, of root."""

    def __init__(self, mode):
        super().__init__()
        os.chmod(self.name, mode)

    def __enter__(self):
        super().__enter__()
        return self

    def path(self, name):
        return os.path.join(self.name, name)

    def put(self, name, owner=0, mode=0o644):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(OLD)
        os.chown(self.path(name), owner, owner)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def link(self, name, target, owner=NOBODY):
        os.symlink(target, self.path(name))
        os.lchown(self.path(name), owner, owner)
        return self.path(name)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def write(command, path, status=0, **options):
    done = run([FINWAIT, *command, "-i", REPLAY, "-o", path], **options)
    said = done.stderr.decode()
    check(done.returncode in (status, 4 if not status else status),
          f"{command}: status {done.returncode}: {said}")
    return said


def check_ours(path, what):
    st = os.lstat(path)
    check(stat.S_ISREG(st.st_mode) and st.st_uid == 0 and stat.S_IMODE(st.st_mode) == 0o600,
          f"{what}: {oct(st.st_mode)} of {st.st_uid}")
    check(OLD.encode() not in content(path), f"{what}: the old content is there")


def check_tidy(directory, *names):
    check(sorted(os.listdir(directory.name)) == sorted(names), os.listdir(directory.name))


def a_link_where_others_may_write_is_not_followed():
    with Directory(0o1777) as shared, Directory(0o700) as own:
        victim = own.put("victim")
        shared.link("out", victim)
        for command in WRITERS:
            said = write(command, shared.path("out"), 1)
            check("symbolic link" in said, f"{command}: {said}")
            check(content(victim).decode() == OLD, f"{command} wrote to the victim")
        check_tidy(shared, "out")


def a_link_of_root_in_a_directory_of_root_stays_one():
    with Directory(0o755) as own:
        target = own.put("target")
        own.link("out", target, 0)
        for command in WRITERS:
            write(command, own.path("out"))
            check(os.path.islink(own.path("out")), f"{command} replaced the link")
            check_ours(target, command)
        check_tidy(own, "out", "target")


def a_file_of_another_user_is_replaced():
    with Directory(0o1777) as shared:
        for command in WRITERS:
            path = shared.put("out", NOBODY, 0o666)
            before = os.open(path, os.O_RDONLY)
            write(command, path)
            check_ours(path, command)
            check(os.pread(before, 100, 0).decode() == OLD, f"{command} wrote into the old file")
            os.close(before)
        check_tidy(shared, "out")


def a_directory_in_which_everybody_replaces_files_is_refused():
    with Directory(0o777) as shared:
        for command in WRITERS:
            said = write(command, shared.path("out"), 1)
            check("everybody" in said, said)
        check_tidy(shared)


def a_run_that_fails_leaves_the_old_file():
    with Directory(0o755) as own:
        path = own.put("out", mode=0o600)
        for command in WRITERS:
            done = run([FINWAIT, *command, "-i", own.path("missing"), "-o", path])
            check(done.returncode == 1, f"{command}: {done.returncode}")
            check(content(path).decode() == OLD, f"{command} destroyed the old file")
        check_tidy(own, "out")


def devices_and_pipes_are_written_to():
    with Directory(0o755) as own:
        fifo = own.path("fifo")
        os.mkfifo(fifo)
        for command in WRITERS:
            read = []
            reader = threading.Thread(target=lambda read=read: read.append(content(fifo)))
            reader.start()
            write(command, fifo)
            reader.join(20)
            check(read and len(read[0]) > 50, f"{command}: nothing came through the pipe")
            check(stat.S_ISFIFO(os.stat(fifo).st_mode), f"{command} replaced the pipe")
            write(command, "/dev/null")
            check(stat.S_ISCHR(os.stat("/dev/null").st_mode), f"{command} replaced /dev/null")
            done = run([FINWAIT, *command, "-i", REPLAY, "-o", "/dev/stdout"])
            check(len(done.stdout) > 50, f"{command}: /dev/stdout: {done.stderr}")
        with open(own.path("redirected"), "wb") as file:
            done = run([FINWAIT, "timeline", "-i", REPLAY, "-o", "/dev/stdout"], stdout=file)
        check(done.returncode == 0 and len(content(own.path("redirected"))) > 50, done.stderr)


def a_pipe_of_another_user_is_refused():
    with Directory(0o1777) as shared:
        fifo = shared.path("fifo")
        os.mkfifo(fifo)
        os.chown(fifo, NOBODY, NOBODY)
        reader = subprocess.Popen(["timeout", "10", "cat", fifo], stdout=subprocess.PIPE)
        said = write(["timeline"], fifo, 1)
        check("another user" in said and not reader.communicate()[0], said)


def recordings_follow_the_same_rules():
    with Directory(0o1777) as shared, Directory(0o700) as own, Netns() as netns:
        victim = own.put("victim")
        # The second file of a rotation: its name is known beforehand.
        for name in ("one.fwr", "many-000002.fwr"):
            shared.link(name, victim)
        done = run([FINWAIT, "record", "-o", shared.path("one.fwr"), "100ms"])
        check(done.returncode == 1 and b"symbolic link" in done.stderr, done.stderr)
        with Tracer("record", "-o", shared.path("many.fwr"), "--netns", netns.path, "--max-size",
                    "64k", "--compress-level", "1") as tracer:
            netns.run(CHURN, "-n", "12000")
            check(tracer.process.wait(60) == 1, "it goes on")
            check("symbolic link" in tracer.stderr(), tracer.stderr())
        check(content(victim).decode() == OLD, "the victim is overwritten")
        check_ours(shared.path("many-000001.fwr"), "the first part")
        path = shared.put("old.fwr", NOBODY, 0o666)
        done = run([FINWAIT, "record", "-o", path, "100ms"])
        check(done.returncode == 0, done.stderr)
        check_ours(path, "record")


CASES = [
    a_link_where_others_may_write_is_not_followed, a_link_of_root_in_a_directory_of_root_stays_one,
    a_file_of_another_user_is_replaced, a_directory_in_which_everybody_replaces_files_is_refused,
    a_run_that_fails_leaves_the_old_file, devices_and_pipes_are_written_to,
    a_pipe_of_another_user_is_refused, recordings_follow_the_same_rules,
]
