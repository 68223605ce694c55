// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seccomp filter. A call is allowed if a table below lists it, and where the table has a condition, only
 * if the argument meets it. Everything else fails with EPERM. Conditions compare with a value that is
 * allowed, so bits that a hostile caller sets beside it never widen what is allowed.
 */
#include "io/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Flags with which open() changes something. */
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))
/* What clone() needs for a thread, and what nothing here needs: a process, a namespace, a tracer. */
#define THREAD (CLONE_VM | CLONE_THREAD)
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
#define TRACED (CLONE_PTRACE | CLONE_UNTRACED | CLONE_PIDFD)

/* One condition on one argument; a call may have several lines, of which one must hold. */
struct rule {
	int call;
	struct scmp_arg_cmp cmp;
};

#define IS(call, arg, value) { SCMP_SYS(call), { arg, SCMP_CMP_EQ, value, 0 } }
#define MASKED(call, arg, mask, value) { SCMP_SYS(call), { arg, SCMP_CMP_MASKED_EQ, mask, value } }

static const int always[] = {
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mremap), SCMP_SYS(munmap),
	/* files that are open, or are opened for reading: see always_if */
	SCMP_SYS(access), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(lseek),
	SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(pread64), SCMP_SYS(read),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(readv), SCMP_SYS(stat), SCMP_SYS(statfs),
	SCMP_SYS(statx), SCMP_SYS(umask), SCMP_SYS(write), SCMP_SYS(writev),
	/* HTTP: on sockets that are open or accepted */
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_wait), SCMP_SYS(eventfd2), SCMP_SYS(getpeername),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(pipe2), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(pselect6), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(select), SCMP_SYS(sendmsg), SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	/* threads, signals, time */
	SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(futex), SCMP_SYS(futex_waitv), SCMP_SYS(getegid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpid), SCMP_SYS(getrandom),
	SCMP_SYS(getrlimit), SCMP_SYS(getrusage), SCMP_SYS(gettid), SCMP_SYS(gettimeofday),
	SCMP_SYS(getuid), SCMP_SYS(membarrier), SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield), SCMP_SYS(setitimer), SCMP_SYS(set_robust_list), SCMP_SYS(sigaltstack), SCMP_SYS(sysinfo),
	SCMP_SYS(time), SCMP_SYS(uname),
};

static const struct rule always_if[] = {
	/* No code but what was loaded before. */
	MASKED(mmap, 2, PROT_EXEC, 0), MASKED(mprotect, 2, PROT_EXEC, 0),
	MASKED(open, 1, WRITES, O_RDONLY), MASKED(openat, 2, WRITES, O_RDONLY),
	MASKED(clone, 0, THREAD | NAMESPACES | TRACED, THREAD),
	IS(prctl, 0, PR_SET_NAME),
	/* Limits of this process are read. */
	IS(prlimit64, 2, 0),
	IS(fcntl, 1, F_DUPFD), IS(fcntl, 1, F_DUPFD_CLOEXEC), IS(fcntl, 1, F_GETFD),
	IS(fcntl, 1, F_SETFD), IS(fcntl, 1, F_GETFL), IS(fcntl, 1, F_SETFL),
	/* Not TIOCSTI, nor what changes a perf event. */
	IS(ioctl, 1, FIONBIO), IS(ioctl, 1, FIONREAD), IS(ioctl, 1, TCGETS),
	/* Where a socket is connected to, not anywhere else. */
	IS(sendto, 4, 0),
	/* The BPF objects that are open are looked at, and their iterators read. */
	IS(bpf, 0, BPF_OBJ_GET_INFO_BY_FD), IS(bpf, 0, BPF_ITER_CREATE),
};

static const struct rule settles_if[] = {
	IS(bpf, 0, BPF_PROG_TEST_RUN),
};

static const int connects[] = {
	SCMP_SYS(connect), SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg),
};

static const struct rule connects_if[] = {
	IS(socket, 0, AF_INET), IS(socket, 0, AF_INET6), IS(socket, 0, AF_UNIX),
	IS(socketpair, 0, AF_UNIX),
};

static const int writes[] = {
	SCMP_SYS(fdatasync), SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
};

/* A file that exists is never opened for writing: /proc/self/mem would undo the ban on new code. */
static const struct rule writes_if[] = {
	MASKED(open, 1, O_CREAT | O_EXCL, O_CREAT | O_EXCL),
	MASKED(openat, 2, O_CREAT | O_EXCL, O_CREAT | O_EXCL),
};

static const int removes[] = { SCMP_SYS(unlink), SCMP_SYS(unlinkat) };

static const int namespaces[] = { SCMP_SYS(open_by_handle_at) };

static const struct rule namespaces_if[] = {
	IS(setns, 1, CLONE_NEWNET),
	IS(bpf, 0, BPF_ENABLE_STATS),
};

static int allow(scmp_filter_ctx ctx, const int *calls, size_t nr)
{
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return ret;
}

static int allow_if(scmp_filter_ctx ctx, const struct rule *rules, size_t nr)
{
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++)
		ret = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].call, 1, &rules[i].cmp);
	return ret;
}

/* Signals to this process only, as abort() sends them. */
static int allow_own_signals(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
}

static int add_rules(scmp_filter_ctx ctx, const struct fw_sandbox *s)
{
	int ret = allow(ctx, always, NR(always));

	if (!ret)
		ret = allow_if(ctx, always_if, NR(always_if));
	if (!ret)
		ret = allow_own_signals(ctx);
	/* A filter sees no memory, so not clone3()'s flags: the C library then uses clone(). */
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!ret && s->settles)
		ret = allow_if(ctx, settles_if, NR(settles_if));
	if (!ret && s->connects)
		ret = allow(ctx, connects, NR(connects));
	if (!ret && s->connects)
		ret = allow_if(ctx, connects_if, NR(connects_if));
	if (!ret && s->write_dir)
		ret = allow(ctx, writes, NR(writes));
	if (!ret && s->write_dir)
		ret = allow_if(ctx, writes_if, NR(writes_if));
	if (!ret && (s->write_dir || s->nr_remove_dirs))
		ret = allow(ctx, removes, NR(removes));
	if (!ret && s->namespaces)
		ret = allow(ctx, namespaces, NR(namespaces));
	if (!ret && s->namespaces)
		ret = allow_if(ctx, namespaces_if, NR(namespaces_if));
	return ret;
}

int fw_sandbox_enter(struct fw_sandbox *s, struct fw_err *err)
{
	scmp_filter_ctx ctx;
	int ret = s->namespaces ? 0 : fw_landlock_enter(s, err);

	if (ret)
		return ret;
	ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	ret = ctx ? add_rules(ctx, s) : -ENOMEM;
	if (!ret)
		ret = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret ? fw_err_set(err, ret, "cannot restrict the system calls: %s", strerror(-ret)) :
		     0;
}
