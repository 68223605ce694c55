// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: takeover PID [TID]
 *
 * Makes a thread of process PID (default: any but the first) call the kernel as an attacker would who runs
 * code in it: by ptrace(2), with the process's own registers, memory, descriptors, credentials and sandbox.
 * Prints one line per call: its name, a descriptor or number where there are several, and what the kernel
 * returned (a negative errno if it refused). What may and what must fail is for the caller to judge. The
 * thread goes on afterwards as if nothing had happened. Needs root.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRATCH 4096
#define NEW_NAMESPACES (CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD)

#ifdef __x86_64__
typedef struct user_regs_struct regs_t;
#define SYSCALL_BYTES 2
#define PC(r) (r).rip
#define SP(r) (r).rsp
#define RESULT(r) (r).rax
#else
typedef struct user_regs_struct regs_t;
#define SYSCALL_BYTES 4
#define PC(r) (r).pc
#define SP(r) (r).sp
#define RESULT(r) (r).regs[0]
#endif

struct victim {
	pid_t pid, tid;
	regs_t saved;
	uint64_t scratch; /* address of memory of its that may be overwritten */
	char bytes[SCRATCH];
	size_t used;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void get_regs(pid_t tid, regs_t *regs)
{
	struct iovec iov = { regs, sizeof(*regs) };

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov))
		die("PTRACE_GETREGSET");
}

static void set_regs(pid_t tid, const regs_t *regs)
{
	struct iovec iov = { (void *)regs, sizeof(*regs) };

	if (ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov))
		die("PTRACE_SETREGSET");
}

static void copy_to(const struct victim *v, uint64_t to, const void *from, size_t len)
{
	struct iovec local = { (void *)from, len }, remote = { (void *)to, len };

	if (process_vm_writev(v->pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		die("process_vm_writev");
}

/* An address in the victim at which @data is when the next call is made. */
static uint64_t put(struct victim *v, const void *data, size_t len)
{
	uint64_t at = v->scratch + v->used;

	if (v->used + len > SCRATCH)
		die("scratch");
	memcpy(v->bytes + v->used, data, len);
	v->used += (len + 15) & ~15UL;
	return at;
}

static uint64_t text(struct victim *v, const char *s)
{
	return put(v, s, strlen(s) + 1);
}

static void set_call(regs_t *r, long nr, const uint64_t a[6])
{
#ifdef __x86_64__
	r->orig_rax = (unsigned long long)-1;
	r->rax = (unsigned long long)nr;
	r->rdi = a[0];
	r->rsi = a[1];
	r->rdx = a[2];
	r->r10 = a[3];
	r->r8 = a[4];
	r->r9 = a[5];
#else
	for (int i = 0; i < 6; i++)
		r->regs[i] = a[i];
	r->regs[8] = (unsigned long long)nr;
#endif
}

/* A process that the victim could create is ended before it does anything. */
static void end_child(pid_t tid)
{
	unsigned long child = 0;

	if (!ptrace(PTRACE_GETEVENTMSG, tid, 0, &child) && child)
		kill((pid_t)child, SIGKILL);
}

static long call(struct victim *v, long nr, const uint64_t a[6])
{
	regs_t regs = v->saved;
	int status;

	if (v->used)
		copy_to(v, v->scratch, v->bytes, v->used);
	v->used = 0;
	PC(regs) -= SYSCALL_BYTES;
	set_call(&regs, nr, a);
	set_regs(v->tid, &regs);
	do {
		if (ptrace(PTRACE_SINGLESTEP, v->tid, 0, 0) || waitpid(v->tid, &status, __WALL) < 0)
			die("PTRACE_SINGLESTEP");
		if (!WIFSTOPPED(status)) {
			fprintf(stderr, "it ended with status %x\n", (unsigned int)status);
			exit(2);
		}
		if (status >> 16)
			end_child(v->tid);
	} while (status >> 16);
	get_regs(v->tid, &regs);
	return (long)RESULT(regs);
}

#define CALL(v, nr, ...) call(v, nr, (const uint64_t[6]){ __VA_ARGS__ })

static void say(const char *name, long number, long result)
{
	printf("%s %ld %ld\n", name, number, result);
}

#define TRY(v, name, nr, ...) say(name, 0, CALL(v, nr, __VA_ARGS__))

/* ---- What is tried ------------------------------------------------------------------------- */

static void try_controls(struct victim *v)
{
	long fd = CALL(v, SYS_openat, (uint64_t)AT_FDCWD, text(v, "/proc/self/stat"), O_RDONLY);

	TRY(v, "control_getpid", SYS_getpid, 0);
	say("control_open", 0, fd);
	TRY(v, "control_mmap", SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	if (fd >= 0)
		TRY(v, "control_close", SYS_close, (uint64_t)fd);
}

static void try_processes(struct victim *v)
{
	uint64_t clone3[11] = { CLONE_NEWUSER | CLONE_NEWNET, 0, 0, 0, SIGCHLD };
	uint64_t argv[2] = { 0 };

	TRY(v, "clone_namespaces", SYS_clone, NEW_NAMESPACES);
	TRY(v, "clone_process", SYS_clone, SIGCHLD);
	TRY(v, "clone_thread_namespace", SYS_clone, CLONE_VM | CLONE_FS | CLONE_NEWNET | SIGCHLD);
	say("clone3", 0, CALL(v, SYS_clone3, put(v, clone3, sizeof(clone3)), sizeof(clone3)));
#ifdef SYS_fork
	TRY(v, "fork", SYS_fork, 0);
	TRY(v, "vfork", SYS_vfork, 0);
#endif
	TRY(v, "unshare", SYS_unshare, CLONE_NEWUSER);
	say("execve", 0, CALL(v, SYS_execve, text(v, "/bin/true"), put(v, argv, sizeof(argv)), 0));
	TRY(v, "kill", SYS_kill, (uint64_t)getpid(), 0);
	TRY(v, "tgkill", SYS_tgkill, (uint64_t)getpid(), (uint64_t)getpid(), 0);
	TRY(v, "tkill", SYS_tkill, (uint64_t)getpid(), 0);
	TRY(v, "ptrace", SYS_ptrace, PTRACE_SEIZE, (uint64_t)getppid(), 0, 0);
	TRY(v, "pidfd_open", SYS_pidfd_open, (uint64_t)getpid(), 0);
	TRY(v, "prctl_dumpable", SYS_prctl, PR_SET_DUMPABLE, 1);
	TRY(v, "prctl_ptracer", SYS_prctl, PR_SET_PTRACER, (uint64_t)-1);
	TRY(v, "prctl_keepcaps", SYS_prctl, PR_SET_KEEPCAPS, 1);
	TRY(v, "personality", SYS_personality, 0x0400000);
	TRY(v, "setuid", SYS_setuid, 0);
	TRY(v, "setrlimit", SYS_setrlimit, RLIMIT_CORE, v->scratch);
	TRY(v, "prlimit", SYS_prlimit64, 0, RLIMIT_CORE, v->scratch, 0);
	TRY(v, "process_vm_readv", SYS_process_vm_readv, (uint64_t)getpid(), v->scratch, 1,
	    v->scratch, 1, 0);
}

static void try_code(struct victim *v)
{
	uint64_t page = PC(v->saved) & ~4095UL;

	TRY(v, "mmap_exec", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
	    (uint64_t)-1, 0);
	TRY(v, "mmap_write_exec", SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	TRY(v, "mprotect_exec", SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	TRY(v, "pkey_mprotect", SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC,
	    (uint64_t)-1);
	say("memfd_create", 0, CALL(v, SYS_memfd_create, text(v, "x"), 0));
}

static void try_open(struct victim *v, const char *name, const char *path, int flags)
{
	long fd = CALL(v, SYS_openat, (uint64_t)AT_FDCWD, text(v, path), (uint64_t)flags, 0600);

	say(name, 0, fd);
	if (fd >= 0)
		CALL(v, SYS_close, (uint64_t)fd);
}

static void try_files(struct victim *v)
{
	try_open(v, "read_passwd", "/etc/passwd", O_RDONLY);
	try_open(v, "read_cmdline", "/proc/1/cmdline", O_RDONLY);
	try_open(v, "read_environ", "/proc/self/environ", O_RDONLY);
	try_open(v, "read_library", "/proc/self/exe", O_RDONLY);
	try_open(v, "read_root", "/", O_RDONLY | O_DIRECTORY);
	try_open(v, "write_tmp", "/tmp/finwait-takeover", O_WRONLY | O_CREAT);
	try_open(v, "create_tmp", "/tmp/finwait-takeover", O_WRONLY | O_CREAT | O_EXCL);
	try_open(v, "unnamed_tmp", "/tmp", O_TMPFILE | O_RDWR);
	try_open(v, "write_mem", "/proc/self/mem", O_RDWR);
	try_open(v, "write_null", "/dev/null", O_WRONLY);
	say("mkdir", 0, CALL(v, SYS_mkdirat, (uint64_t)AT_FDCWD, text(v, "/tmp/finwait-takeover"), 0700));
	say("symlink", 0, CALL(v, SYS_symlinkat, text(v, "/"), (uint64_t)AT_FDCWD,
			       text(v, "/tmp/finwait-takeover")));
	say("chmod", 0, CALL(v, SYS_fchmodat, (uint64_t)AT_FDCWD, text(v, "/tmp"), 0777));
	say("mount", 0, CALL(v, SYS_mount, text(v, "none"), text(v, "/tmp"), text(v, "tmpfs"), 0));
	say("chroot", 0, CALL(v, SYS_chroot, text(v, "/tmp")));
	TRY(v, "open_by_handle", SYS_open_by_handle_at, 0, v->scratch, 0);
	TRY(v, "io_uring", SYS_io_uring_setup, 1, v->scratch);
	TRY(v, "userfaultfd", SYS_userfaultfd, 0);
	TRY(v, "keyctl", SYS_keyctl, 0, (uint64_t)-3, 0);
	TRY(v, "tiocsti", SYS_ioctl, 2, TIOCSTI, v->scratch);
}

static void try_socket(struct victim *v, const char *name, int family, int type, int protocol)
{
	long fd = CALL(v, SYS_socket, (uint64_t)family, (uint64_t)type, (uint64_t)protocol);

	say(name, 0, fd);
	if (fd >= 0)
		CALL(v, SYS_close, (uint64_t)fd);
}

static void try_network(struct victim *v)
{
	long ns = CALL(v, SYS_openat, (uint64_t)AT_FDCWD, text(v, "/proc/self/ns/net"), O_RDONLY);

	say("setns_net", 0, CALL(v, SYS_setns, (uint64_t)ns, CLONE_NEWNET));
	say("setns_any", 0, CALL(v, SYS_setns, (uint64_t)ns, 0));
	if (ns >= 0)
		CALL(v, SYS_close, (uint64_t)ns);
	try_socket(v, "socket_netlink", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	try_socket(v, "socket_packet", AF_PACKET, SOCK_RAW, 0);
	try_socket(v, "socket_vsock", AF_VSOCK, SOCK_STREAM, 0);
	try_socket(v, "socket_alg", AF_ALG, SOCK_SEQPACKET, 0);
	try_socket(v, "socket_raw", AF_INET, SOCK_RAW, 1);
	try_socket(v, "socket_tcp", AF_INET, SOCK_STREAM, 0);
	try_socket(v, "socket_udp", AF_INET6, SOCK_DGRAM, 0);
	try_socket(v, "socket_unix", AF_UNIX, SOCK_STREAM, 0);
}

/* ---- BPF: by the descriptors that it has ----------------------------------------------------- */

static long try_bpf(struct victim *v, int command, union bpf_attr *attr)
{
	return CALL(v, SYS_bpf, (uint64_t)command, put(v, attr, sizeof(*attr)), sizeof(*attr));
}

static long run_program(struct victim *v, int fd, uint64_t address)
{
	uint64_t args[2] = { address, 0 };
	union bpf_attr attr = { .test = { .prog_fd = (uint32_t)fd, .ctx_size_in = sizeof(args) } };

	attr.test.ctx_in = put(v, args, sizeof(args));
	return try_bpf(v, BPF_PROG_TEST_RUN, &attr);
}

/* A program that takes addresses from the caller would read what is there: see find_record(). */
static void try_program(struct victim *v, int fd, uint64_t address)
{
	union bpf_attr attr;

	say("bpf_run_program", fd, run_program(v, fd, address));
	attr = (union bpf_attr){ .raw_tracepoint = { .prog_fd = (uint32_t)fd } };
	say("bpf_attach_program", fd, try_bpf(v, BPF_RAW_TRACEPOINT_OPEN, &attr));
}

static void try_map(struct victim *v, int fd)
{
	char key[512] = "", value[512] = "";
	union bpf_attr attr = { .map_fd = (uint32_t)fd };
	long at;

	attr.key = put(v, key, sizeof(key));
	attr.value = put(v, value, sizeof(value));
	say("bpf_map_update", fd, try_bpf(v, BPF_MAP_UPDATE_ELEM, &attr));
	attr.key = put(v, key, sizeof(key));
	attr.value = put(v, value, sizeof(value));
	say("bpf_map_lookup", fd, try_bpf(v, BPF_MAP_LOOKUP_ELEM, &attr));
	attr = (union bpf_attr){ .map_fd = (uint32_t)fd };
	attr.next_key = put(v, key, sizeof(key));
	say("bpf_map_next_key", fd, try_bpf(v, BPF_MAP_GET_NEXT_KEY, &attr));
	/* The ring's first page is the consumer's. */
	at = CALL(v, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (uint64_t)fd, 0);
	say("bpf_map_mmap_write", fd, at);
	if (at > 0)
		CALL(v, SYS_munmap, (uint64_t)at, 4096);
}

static void try_link(struct victim *v, int fd)
{
	union bpf_attr attr = { .link_detach = { .link_fd = (uint32_t)fd } };

	say("bpf_link_detach", fd, try_bpf(v, BPF_LINK_DETACH, &attr));
}

static void try_perf(struct victim *v, int fd)
{
	say("perf_disable", fd, CALL(v, SYS_ioctl, (uint64_t)fd, PERF_EVENT_IOC_DISABLE, 0));
	say("perf_set_bpf", fd, CALL(v, SYS_ioctl, (uint64_t)fd, PERF_EVENT_IOC_SET_BPF, 0));
}

/* Whether a record of the object "at" @address has been sent: it begins with that address. */
static bool has_record(const struct victim *v, uint64_t from, uint64_t to, uint64_t address)
{
	struct iovec local = { malloc(to - from), to - from }, remote = { (void *)from, to - from };
	ssize_t n = process_vm_readv(v->pid, &local, 1, &remote, 1, 0);
	bool found = n > 0 && memmem(local.iov_base, (size_t)n, &address, sizeof(address));

	free(local.iov_base);
	return found;
}

static void find_record(const struct victim *v, uint64_t address)
{
	unsigned long from, to;
	char path[64], line[512];
	long found = 0, maps = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", v->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, "bpf-map") || sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		maps++;
		found += has_record(v, from, to, address);
	}
	if (f)
		fclose(f);
	say("control_rings", 0, maps ? maps : -ENOENT);
	say("kernel_memory", 0, found ? found : -ENODATA);
}

static void try_descriptor(struct victim *v, int fd, const char *what, uint64_t address)
{
	if (strstr(what, "bpf-prog"))
		try_program(v, fd, address);
	else if (strstr(what, "bpf-map"))
		try_map(v, fd);
	else if (strstr(what, "bpf_link") || strstr(what, "bpf-link"))
		try_link(v, fd);
	else if (strstr(what, "perf_event"))
		try_perf(v, fd);
}

/* Kernel memory that is no socket, nor the return address of a call. */
static uint64_t kernel_text(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long at = 0;
	char name[128] = "";

	while (f && fscanf(f, "%llx %*c %127[^\n]", &at, name) == 2 && strcmp(name, "_stext"))
		;
	if (f)
		fclose(f);
	say("control_address", 0, at && !strcmp(name, "_stext") ? 0 : -ENOENT);
	return at + 3;
}

static void try_descriptors(struct victim *v, uint64_t address)
{
	char dir[64], path[320], what[256];
	struct dirent *e;
	ssize_t n;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", v->pid);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		n = readlink(path, what, sizeof(what) - 1);
		if (n <= 0)
			continue;
		what[n] = '\0';
		printf("# descriptor %s %s\n", e->d_name, what);
		try_descriptor(v, atoi(e->d_name), what, address);
	}
	if (d)
		closedir(d);
}

static void try_new_bpf(struct victim *v)
{
	const struct bpf_insn code[] = { { .code = 0xb7 }, { .code = 0x95 } }; /* return 0 */
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2 };

	attr.insns = put(v, code, sizeof(code));
	attr.license = text(v, "GPL");
	say("bpf_load", 0, try_bpf(v, BPF_PROG_LOAD, &attr));
	attr = (union bpf_attr){ .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
				 .max_entries = 1 };
	say("bpf_map_create", 0, try_bpf(v, BPF_MAP_CREATE, &attr));
	for (uint32_t id = 1; id < 4; id++) {
		attr = (union bpf_attr){ .map_id = id };
		say("bpf_map_by_id", id, try_bpf(v, BPF_MAP_GET_FD_BY_ID, &attr));
		say("bpf_program_by_id", id, try_bpf(v, BPF_PROG_GET_FD_BY_ID, &attr));
	}
}

/* ---- Taking over, and giving back ------------------------------------------------------------ */

static pid_t other_thread(pid_t pid)
{
	char dir[64];
	struct dirent *e;
	pid_t tid = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/task", pid);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		if (atoi(e->d_name) > 0 && atoi(e->d_name) != pid)
			tid = atoi(e->d_name);
	}
	if (d)
		closedir(d);
	return tid ? tid : pid;
}

static void take(struct victim *v)
{
	long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
		       PTRACE_O_TRACEEXEC;
	int status;

	if (ptrace(PTRACE_SEIZE, v->tid, 0, options) || ptrace(PTRACE_INTERRUPT, v->tid, 0, 0) ||
	    waitpid(v->tid, &status, __WALL) < 0)
		die("PTRACE_SEIZE");
	get_regs(v->tid, &v->saved);
	/* Below the red zone of its stack. */
	v->scratch = (SP(v->saved) - 16384) & ~4095UL;
}

int main(int argc, char **argv)
{
	struct victim v = { 0 };
	uint64_t address;

	if (argc < 2) {
		fprintf(stderr, "usage: takeover PID [TID]\n");
		return 2;
	}
	v.pid = atoi(argv[1]);
	v.tid = argc > 2 ? atoi(argv[2]) : other_thread(v.pid);
	take(&v);
	address = kernel_text();
	try_controls(&v);
	try_processes(&v);
	try_code(&v);
	try_files(&v);
	try_network(&v);
	try_new_bpf(&v);
	try_descriptors(&v, address);
	find_record(&v, address);
	set_regs(v.tid, &v.saved);
	return ptrace(PTRACE_DETACH, v.tid, 0, 0) ? 2 : 0;
}
