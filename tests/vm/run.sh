#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: make vm [KERNEL=6.12 | KERNELS="5.10 newest"] [HOOKS="kprobe timer"] [VM_QUICK=1]
#		[VM_JOBS=1] [VM_RECORD=1]
#
# The live tests on real distribution kernels under qemu: boots each kernel of tests/vm/kernels once
# and runs guest.sh in it with every front end, VM_JOBS kernels (one a processor) at a time. Prints a
# table, whether docs/kernels.md claims more than that (claims.py), then "N passed, N failed". Outputs stay
# in build/vm/KERNEL. VM_QUICK=1 and VM_QUICK=self-test leave out what guest.sh says. VM_RECORD keeps the results in
# tests/vm/results, for claims about kernels that a run does not boot.
set -u
cd "$(dirname "$0")/../.." || exit 1

out=$PWD/build/vm
front_end_seconds=2400
read -ra hooks <<<"${HOOKS:-trampoline kprobe timer}"
known=$(awk '!/^#/ && NF { printf "%s ", $1 }' tests/vm/kernels)
read -ra kernels <<<"${KERNEL:-${KERNELS:-$known}}"

test_kernel() {
	local kernel=$1 directory=$out/$1 status front_end

	rm -rf "$directory"
	mkdir -p "$directory"
	echo "== Linux $kernel"
	SECONDS=0
	tests/vm/boot.sh -t $((front_end_seconds * ${#hooks[@]})) -o "$directory" "$kernel" \
		env VM_QUICK="${VM_QUICK:-}" FINWAIT_CHURN="${FINWAIT_CHURN:-}" \
		FINWAIT_TOLERANCE_MS="${FINWAIT_TOLERANCE_MS:-}" \
		tests/vm/guest.sh "$kernel" "$directory" "${hooks[@]}"
	status=$?
	echo "$kernel took $SECONDS s"
	echo "$SECONDS" >"$directory/seconds"
	for front_end in "${hooks[@]}"; do
		grep -qsx "$front_end" "$directory/finished" && continue
		echo "$kernel FAIL $front_end: did not finish (status $status)"
		echo "$front_end vm 0 0 1" >>"$directory/results"
	done
}

# A kernel's rows, from the results of all runners: see result() of guest.sh. What is refused as
# documented is what should happen.
rows() {
	local kernel=$1 release front_end

	release=$(cat "$out/$kernel/release" 2>/dev/null || echo -)
	for front_end in "${hooks[@]}"; do
		awk -v kernel="$kernel" -v release="$release" -v front_end="$front_end" \
			'$1 == front_end { passed += $3; refused += $4; failed += $5 }
			END { printf "%-8s %-22s %-12s %6d %7d %6d\n",
				kernel, release, front_end, passed, refused, failed }' \
			"$out/$kernel/results"
	done
}

# The VMs run side by side, since one keeps one processor busy. Each is a job, with a process group
# of its own, so that none outlives this script.
end_all() {
	for job in $(jobs -p); do
		kill -- "-$job"
	done
	wait
	exit 130
}

set -m
trap end_all INT TERM HUP
running=0
for kernel in "${kernels[@]}"; do
	if [ "$running" -ge "${VM_JOBS:-$(nproc)}" ]; then
		wait -n
		running=$((running - 1))
	fi
	test_kernel "$kernel" &
	running=$((running + 1))
done
wait
echo
printf '%-8s %-22s %-12s %6s %7s %6s\n' KERNEL RELEASE FRONT_END PASSED REFUSED FAILED
for kernel in "${kernels[@]}"; do
	rows "$kernel"
done | tee "$out/table"
status=0
[ -z "${VM_RECORD:-}" ] || tests/vm/claims.py --record "${kernels[@]}" || status=1
tests/vm/claims.py "${kernels[@]}" || status=1
awk '{ passed += $4 + $5; failed += $6 }
	END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }' \
	"$out/table" || status=1
exit $status
