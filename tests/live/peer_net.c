// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespace, TUN device and sysctls for one case. See peer_net.h.
 *
 * The namespace is entered in two steps. The first one is only there to set
 * tcp_child_ehash_entries: its child then has a connection hash of its own, and the witness reads
 * a few hundred buckets per sample instead of the host's hundreds of thousands. Kernels before
 * 6.1 have no such setting and work without it, slower.
 */
#define _GNU_SOURCE 1 /* as -D_GNU_SOURCE would */
#include "peer_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TUN_NAME "peer0"

__attribute__((format(printf, 3, 4))) static int failed(char *err, size_t size, const char *fmt,
							...)
{
	int saved = errno;
	va_list ap;
	size_t used;

	va_start(ap, fmt);
	used = (size_t)vsnprintf(err, size, fmt, ap);
	va_end(ap);
	if (used < size)
		snprintf(err + used, size - used, ": %s", strerror(saved));
	return -1;
}

int net_sysctl(const char *name, const char *value, int optional, char *err, size_t size)
{
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	for (char *p = path + strlen("/proc/sys/"); *p; p++) {
		if (*p == '.')
			*p = '/';
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return optional && errno == ENOENT ? 0 : failed(err, size, "sysctl %s", name);
	n = write(fd, value, strlen(value));
	if (n < 0)
		failed(err, size, "sysctl %s = %s", name, value);
	close(fd);
	return n < 0 ? -1 : 0;
}

int net_namespace_enter(int *outer_fd, uint64_t *inode, char *err, size_t size)
{
	struct stat st;

	if (unshare(CLONE_NEWNET))
		return failed(err, size, "no network namespace");
	if (net_sysctl("net.ipv4.tcp_child_ehash_entries", "256", 1, err, size))
		return -1;
	*outer_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*outer_fd < 0)
		return failed(err, size, "/proc/thread-self/ns/net");
	if (unshare(CLONE_NEWNET))
		return failed(err, size, "no second network namespace");
	if (stat("/proc/thread-self/ns/net", &st))
		return failed(err, size, "/proc/thread-self/ns/net");
	*inode = st.st_ino;
	return 0;
}

int net_namespace_leave(int outer_fd, char *err, size_t size)
{
	return setns(outer_fd, CLONE_NEWNET) ? failed(err, size, "setns") : 0;
}

static int interface_up(int sock, const char *name)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
	return ioctl(sock, SIOCSIFFLAGS, &ifr);
}

int net_loopback_up(char *err, size_t size)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (sock < 0)
		return failed(err, size, "socket");
	ret = interface_up(sock, "lo");
	if (ret)
		failed(err, size, "lo up");
	close(sock);
	return ret;
}

static int set_v4(const char *name, unsigned long request, const char *text)
{
	struct ifreq ifr = { 0 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	inet_pton(AF_INET, text, &sin.sin_addr);
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	ret = ioctl(sock, request, &ifr);
	close(sock);
	return ret;
}

static int set_v6(const char *name, const char *text)
{
	struct in6_ifreq ifr6 = { .ifr6_prefixlen = 64 };
	struct ifreq ifr = { 0 };
	int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = -1;

	if (sock < 0)
		return -1;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	inet_pton(AF_INET6, text, &ifr6.ifr6_addr);
	if (!ioctl(sock, SIOCGIFINDEX, &ifr)) {
		ifr6.ifr6_ifindex = ifr.ifr_ifindex;
		ret = ioctl(sock, SIOCSIFADDR, &ifr6);
	}
	close(sock);
	return ret;
}

/* There is no duplicate to detect, but a new address is tentative until a kernel worker has run. */
static int wait_usable_v6(const char *text)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	int ret = -1;

	inet_pton(AF_INET6, text, &sin6.sin6_addr);
	for (int tries = 0; ret && tries < 1000; tries++) {
		int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		ret = bind(sock, (struct sockaddr *)&sin6, sizeof(sin6));
		close(sock);
		if (ret)
			usleep(2000);
	}
	return ret;
}

static int tun_up(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = interface_up(sock, TUN_NAME);

	close(sock);
	return ret;
}

/* The device is NOARP: no neighbour discovery for the scripts to answer. */
int net_tun_open(int *fd, int need_v6, char *err, size_t size)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };

	*fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return failed(err, size, "/dev/net/tun");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", TUN_NAME);
	if (ioctl(*fd, TUNSETIFF, &ifr))
		return failed(err, size, "TUNSETIFF");
	if (set_v4(TUN_NAME, SIOCSIFADDR, NET_KERNEL_V4) ||
	    set_v4(TUN_NAME, SIOCSIFNETMASK, "255.255.255.0"))
		return failed(err, size, "IPv4 address of the TUN device");
	if (tun_up())
		return failed(err, size, "TUN device up");
	if ((set_v6(TUN_NAME, NET_KERNEL_V6) || wait_usable_v6(NET_KERNEL_V6)) && need_v6)
		return failed(err, size, "IPv6 address of the TUN device");
	return 0;
}
