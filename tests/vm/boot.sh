#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: tests/vm/boot.sh [-t SECONDS] [-o DIRECTORY] KERNEL COMMAND [ARG...]
#
# Boots KERNEL, a name in tests/vm/kernels, under qemu and runs COMMAND in it as root, in the
# current directory and on the host's own file system: everything is there, at the same path, and
# whatever is written vanishes with the VM, except in DIRECTORY. Prints what COMMAND prints; ends
# with its status, or with 124 when SECONDS (default 120) have passed, or 125 when the VM ended on
# its own.
#
# A VM that ends before COMMAND starts is booted again, twice: emulation fails now and then, and
# that says nothing about what is tested. A COMMAND that has started is never repeated.
#
# Software emulation is enough: 5 s to COMMAND. With a single emulation thread: with several, qemu
# 7.2 loses one boot in 25 of the newest kernels (they patch code that another processor runs).
# FINWAIT_VM_ACCEL names another accelerator, such as kvm. With FINWAIT_VM_ICOUNT=SHIFT the guest's time is
# instructions, of 2^SHIFT ns each: slower, and whatever else the host does changes nothing in it.
set -u

here=$(dirname "$(readlink -f "$0")")
accel=${FINWAIT_VM_ACCEL:-tcg,thread=single}
icount=${FINWAIT_VM_ICOUNT:-}
boots=3
boot_seconds=90

fail() {
	echo "boot.sh: $*" >&2
	exit 125
}

usage() {
	sed -n '4,10s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

# The command as a script, in the guest's environment: the system's own programs come first.
write_command() {
	printf 'export HOME=/root LANG=C.UTF-8\n'
	printf 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin\n'
	printf 'cd %q || exit 127\nexec' "$PWD"
	printf ' %q' "$@"
	echo
}

write_initrd() {
	cp -r "$kernel/boot" "$run/initrd"
	cp "$here/init.sh" "$run/initrd/init"
	cp "$here/init.sh" "$run/initrd/init.sh"
	write_command "$@" >"$run/initrd/command"
	printf 'share=%q\nmodules=%q\n' "$directory" "$kernel/lib/modules" >"$run/initrd/settings"
	(cd "$run/initrd" && find . | cpio -o -H newc --quiet) >"$run/initrd.cpio"
}

# The ports are those that init.sh looks for. An oops ends the VM: whoever caused it wants to know.
# thash_entries: whoever reads /proc/net/tcp walks the whole hash table, and the witness does so all
# the time. The small table halves the tests' time, and makes tcp_max_tw_buckets 2048.
boot() {
	: >"$run/status"
	timeout -k 5 "$seconds" qemu-system-x86_64 -nodefaults -display none -no-reboot \
		-machine q35 -accel "$accel" ${icount:+-icount "shift=$icount"} -cpu max,la57=off -smp 2 -m 2048 \
		-kernel "$kernel/vmlinux" -initrd "$run/initrd.cpio" \
		-append "console=ttyS0 quiet panic=-1 oops=panic nokaslr mitigations=off tsc=reliable
			random.trust_cpu=on thash_entries=4096" \
		-serial "file:$directory/console.log" \
		-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
		-virtfs "local,path=$directory,mount_tag=share,security_model=none,multidevs=remap" \
		-device virtio-serial-pci \
		-add-fd fd=3,set=1 -chardev file,id=output,path=/dev/fdset/1,append=on \
		-device virtserialport,chardev=output,name=output \
		-chardev "file,id=status,path=$run/status" \
		-device virtserialport,chardev=status,name=status \
		</dev/null 3>&1 2>"$run/qemu.err" &
	qemu=$!
	for ((s = 0; s < boot_seconds; s++)); do
		if [ -s "$run/status" ] || ! kill -0 "$qemu" 2>/dev/null; then break; fi
		sleep 1
	done
	[ -s "$run/status" ] || kill "$qemu" 2>/dev/null
	wait "$qemu"
	qemu_status=$?
}

# shellcheck disable=SC2317 # run by trap
clean_up() {
	[ -z "${qemu:-}" ] || kill "$qemu" 2>/dev/null
	rm -rf "$run"
}

explain() {
	echo "boot.sh: $name: $1; the end of its console:" >&2
	tail -25 "$directory/console.log" 2>/dev/null >&2
	cat "$run/qemu.err" >&2
}

seconds=120
directory=
while getopts t:o: option; do
	case $option in
	t) seconds=$OPTARG ;;
	o) directory=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || usage
name=$1
shift
command -v qemu-system-x86_64 >/dev/null || fail "qemu-system-x86_64 is missing: scripts/deps vm"
kernel=$("$here/fetch.sh" "$name") || exit 125

run=$(mktemp -d "${TMPDIR:-/tmp}/finwait-vm.XXXXXX") || exit 125
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
[ "$directory" ] || directory=$run/share
mkdir -p "$directory"
directory=$(readlink -f "$directory")
write_initrd "$@"

for ((n = 1; n <= boots; n++)); do
	boot
	[ ! -s "$run/status" ] || break
	explain "the VM ended before the command started (boot $n of $boots, qemu status $qemu_status)"
done
qemu=
status=$(sed -n 's/^ended \([0-9]*\).*/\1/p' "$run/status")
if [ -z "$status" ]; then
	case $qemu_status in
	124 | 137) status=124 what="its $seconds s have passed" ;;
	*) status=125 what="the VM ended while the command ran" ;;
	esac
	[ ! -s "$run/status" ] || explain "$what"
fi
exit "$status"
