#!/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's first process. Makes the host's file system the guest's: read-only through 9p, under
# an overlay whose writes stay in the guest's memory, except in $share, which is the host's
# directory itself. Then runs /command there and reports its exit status. boot.sh puts all of this
# together.
#
# It runs twice: in the initial RAM disk, then, as "init.sh userland", on the host's file system.
# shellcheck shell=dash disable=SC2154 # share and modules come from /settings
B=/busybox
P=/run/finwait-vm

mount_9p() {	# TAG DIRECTORY OPTIONS
	$B mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$3" "$1" "$2"
}

# The kernel's console is the only voice until the host's file system is there. Ends the VM.
give_up() {
	echo "finwait-vm: cannot $1" >/dev/console
	echo b >/proc/sysrq-trigger
	$B sleep 60
}

mount_root() {
	$B mkdir -p /host /memory /new
	mount_9p host /host ro,cache=loose || give_up "mount the host's file system"
	$B mount -t tmpfs -o mode=755,size=75% tmpfs /memory
	$B mkdir /memory/upper /memory/work
	$B mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work \
		overlay /new || give_up "mount the overlay"
	mount_9p share "/new$share" rw,cache=none || give_up "mount $share"
}

mount_kernel_file_systems() {
	for fs in dev sys proc; do
		$B mount -o move /$fs /new/$fs
	done
	$B mount -t tmpfs -o mode=755 tmpfs /new/run
	$B mkdir -p /new/dev/pts /new/dev/shm /new/dev/net /new$P
	$B mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /new/dev/pts
	$B mount -t tmpfs -o mode=1777 tmpfs /new/dev/shm
	$B mount -t bpf bpf /new/sys/fs/bpf
	$B mount -t tracefs tracefs /new/sys/kernel/tracing
	$B mount -t debugfs debugfs /new/sys/kernel/debug
	$B mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
}

# What udev would have done.
make_devices() {
	[ -e /new/dev/net/tun ] || $B mknod /new/dev/net/tun c 10 200	# opening it loads tun
	$B ln -sf /proc/self/fd /new/dev/fd
	$B ln -sf /proc/self/fd/0 /new/dev/stdin
	$B ln -sf /proc/self/fd/1 /new/dev/stdout
	$B ln -sf /proc/self/fd/2 /new/dev/stderr
}

first_stage() {
	$B mkdir -p /proc /sys /dev
	$B mount -t proc proc /proc
	$B mount -t sysfs sys /sys
	$B mount -t devtmpfs dev /dev
	for module in /modules/*.ko; do
		[ ! -e "$module" ] || $B insmod "$module"
	done
	# shellcheck source=/dev/null
	. /settings
	mount_root
	mount_kernel_file_systems
	make_devices
	# This kernel's modules, for modprobe and for what the kernel loads by itself.
	$B mkdir -p /new/lib/modules
	$B mount -o bind "/new$modules" /new/lib/modules
	$B ifconfig lo 127.0.0.1 netmask 255.0.0.0 up
	$B hostname finwait-vm
	$B cp /busybox /init.sh /command /new$P
	exec $B switch_root /new $P/busybox sh $P/init.sh userland
}

userland() {
	B=$P/busybox
	for port in /sys/class/virtio-ports/*; do
		case $($B cat "$port/name") in
		output) output=/dev/${port##*/} ;;
		status) status=/dev/${port##*/} ;;
		esac
	done
	echo started >"$status"
	bash $P/command </dev/null >"$output" 2>&1
	echo "ended $?" >"$status"
	$B sync
	echo b >/proc/sysrq-trigger
	$B sleep 60
}

if [ "${1:-}" = userland ]; then
	userland
else
	first_stage
fi
