#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: tests/vm/fetch.sh [-f] KERNEL...	KERNEL: a name in tests/vm/kernels; -f: again
#
# Downloads Debian kernels and makes them ready for boot.sh, in a cache outside the tree. Prints one
# directory per kernel. What is there and whole is not downloaded again. In each directory:
#
#	vmlinux		the uncompressed kernel
#	release		its version, as uname -r says
#	boot/		busybox and the modules needed to reach the host's file system
#	lib/modules/	all other modules, for modprobe in the guest
#
# apt verifies what it downloads, with a state of its own: the system's package sources stay as they
# are. Their mirror is used; FINWAIT_VM_MIRROR names another one.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

here=$(dirname "$(readlink -f "$0")")
cache=${FINWAIT_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/finwait/vm}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
boot_modules="virtio_pci 9pnet_virtio 9p overlay virtio_console"
# Nothing a test could load, and most of the size.
unused="sound drivers/gpu drivers/media drivers/net/ethernet drivers/net/wireless drivers/infiniband
        drivers/scsi drivers/staging drivers/usb drivers/iio"

fail() {
	echo "fetch.sh: $*" >&2
	exit 1
}

mirror() {
	local uri=${FINWAIT_VM_MIRROR:-}

	# shellcheck disable=SC2016 # a format of apt's
	[ "$uri" ] || uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -m 1 '/debian/\?$') ||
		fail "the system's package sources name no Debian mirror: set FINWAIT_VM_MIRROR"
	echo "$uri"
}

# apt_in SUITE COMMAND...: apt-get or apt-cache as if SUITE were all there is
apt_in() {
	local state=$cache/apt/$1 command=$2

	shift 2
	"$command" -o Dir::State="$state" -o Dir::State::status="$state/status" \
		-o Dir::Cache="$state/cache" -o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o APT::Architecture=amd64 \
		-o APT::Sandbox::User=root -o APT::Update::Error-Mode=any \
		-o Acquire::Languages=none "$@"
}

update() {
	local suite=$1 state=$cache/apt/$1

	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >"$state/status"
	echo "deb [signed-by=$keyring] $(mirror) $suite main" >"$state/sources.list"
	apt_in "$suite" apt-get -qq update >&2
}

# The versions of SUITE's plain kernels: no cloud, real-time, unsigned or debug ones.
versions_in() {
	apt_in "$1" apt-cache pkgnames linux-image- |
		sed -nE 's/^linux-image-([0-9]+\.[0-9]+\.[0-9]+(-[0-9]+|\+deb[0-9]+)?-amd64)$/\1/p'
}

# find_newest SUITES WANTED: "VERSION SUITE" of the newest one; WANTED as in the table
find_newest() {
	local suite found=

	for suite in ${1//,/ }; do
		update "$suite"
		found+=$(versions_in "$suite" | sed "s/\$/ $suite/")$'\n'
	done
	sort -V <<<"$found" |
		awk -v wanted="$2." 'wanted == "-." || index($1, wanted) == 1' | grep . | tail -1 ||
		fail "no kernel $2 in $1; there are: $(grep -oE '^[0-9]+\.[0-9]+' <<<"$found" |
			sort -uV | tr '\n' ' ')"
}

# The image, and what newer packages keep beside it: linux-binary, linux-modules, linux-base.
packages_of() {
	local suite=$1 version=$2

	echo "linux-image-$version"
	apt_in "$suite" apt-cache depends "linux-image-$version" |
		awk -v end="-$version" '$1 == "Depends:" && index($2, end) && $2 !~ /^</ { print $2 }'
}

unpack_packages() {
	local suite=$1 version=$2 dir=$3 packages modules part

	mapfile -t packages < <(packages_of "$suite" "$version")
	mkdir -p "$dir/debs"
	(cd "$dir/debs" && apt_in "$suite" apt-get -qq download "${packages[@]}" >&2)
	for part in "$dir"/debs/*.deb; do
		dpkg-deb -x "$part" "$dir/root"
	done
	mkdir "$dir/lib"
	mv "$dir"/root/lib/modules "$dir/lib" 2>/dev/null || mv "$dir"/root/usr/lib/modules "$dir/lib"
	modules=$dir/lib/modules/$version
	for part in $unused; do
		rm -rf "$modules/kernel/$part"
	done
	depmod -b "$dir" "$version"
	for part in "$dir/root/boot/vmlinuz-$version" "$modules/vmlinuz"; do
		[ ! -e "$part" ] || "$here/extract_vmlinux.py" "$part" "$dir/vmlinux"
	done
	rm -rf "$dir/debs" "$dir/root" "$modules/vmlinuz"
}

# The modules of the first stage, unpacked, their names in the order in which they can be inserted.
collect_boot() {
	local dir=$1 version=$2 module file name n=100

	mkdir -p "$dir/boot/modules"
	cp /bin/busybox "$dir/boot/busybox"
	for module in $boot_modules; do
		modprobe -d "$dir" -S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$dir/order"
	while read -r file; do
		name=$n-$(basename "${file%.ko*}").ko
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -dcq "$file" ;;
		*) cat "$file" ;;
		esac >"$dir/boot/modules/$name"
		n=$((n + 1))
	done <"$dir/order"
	rm "$dir/order"
}

is_whole() {
	[ -e "$1/SHA256SUMS" ] && (cd "$1" && sha256sum --quiet --status -c SHA256SUMS)
}

fetch() {
	local name=$1 dir=$cache/$1 partial suites wanted version suite found

	read -r _ suites wanted < <(awk -v name="$name" '$1 == name' "$here/kernels") ||
		fail "no kernel '$name' in $here/kernels"
	if [ -z "$again" ] && is_whole "$dir"; then
		echo "$dir"
		return
	fi
	found=$(find_newest "$suites" "$wanted")
	read -r version suite <<<"$found"
	echo "fetching Linux $version from $suite" >&2
	mkdir -p "$cache"
	partial=$(mktemp -d "$cache/partial.XXXXXX")
	trap 'rm -rf "$partial"' EXIT
	unpack_packages "$suite" "$version" "$partial"
	collect_boot "$partial" "$version"
	echo "$version" >"$partial/release"
	(cd "$partial" && sha256sum vmlinux release boot/busybox boot/modules/* >SHA256SUMS)
	rm -rf "$dir"
	mv "$partial" "$dir"
	trap - EXIT
	chmod 755 "$dir"
	echo "$dir"
}

again=
if [ "${1:-}" = -f ]; then
	again=yes
	shift
fi
[ $# -gt 0 ] || { sed -n '4,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ "$(uname -m)" = x86_64 ] || fail "only x86-64 kernels can be fetched, and this is $(uname -m)"
for name; do
	fetch "$name"
done
