#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: tests/vm/guest.sh KERNEL DIRECTORY FRONT_END...
#
# Runs in a VM: the live tests, with one front end after the other. Leaves in DIRECTORY what doctor
# said, every test's output as FRONT_END.RUNNER.log, and "results": one line per runner, see result().
# run.sh makes a table of it.
set -u
cd "$(dirname "$0")/../.." || exit 1

# Every front end has to tell every path, and to leave nothing behind; the rest is the same program
# whatever the front end is.
# VM_QUICK: real servers and owners are left to the native run, and the front ends that finwait would not
# choose here show their hooks and the paths with a minisock.
RUNNERS="tests/live/refused.py tests/live/paths.py"
RUNNERS_OF_THE_BEST="tests/live/real.py tests/live/owners.py"
[ -z "${VM_QUICK:-}" ] || RUNNERS_OF_THE_BEST=
QUICK_CASES="*wait*"
# VM_QUICK=self-test: which hooks can be attached, and fire; a minute a kernel.
only_self_test=
[ "${VM_QUICK:-}" != self-test ] || only_self_test=yes

kernel=$1 directory=$2
shift 2
runner_seconds=1200
# Emulated processors take turns of many milliseconds, so neither the witness nor a script is on
# time to 50 ms. The load has to fit into the guest's small TIME_WAIT table: see boot.sh.
export FINWAIT_TOLERANCE_MS=${FINWAIT_TOLERANCE_MS:-250}
export FINWAIT_CHURN=${FINWAIT_CHURN:-1500}
# Here no task is hidden from BPF programs, so no case may be run again because finwait missed an end.
export FINWAIT_HIDDEN_RUNS=0

say() {
	echo "$kernel $*"
}

result() {	# FRONT_END RUNNER PASSED REFUSED FAILED
	echo "$*" >>"$directory/results"
}

# The documented refusals of this kernel and a front end, one expression a line.
refusals_of() {
	awk -F '\t+' -v kernel="$kernel" -v front_end="$1" \
		'!/^#/ && $1 == kernel && ($2 == "any" || $2 == front_end) { print $3 }' tests/vm/refusals
}

# judge FRONT_END RUNNER STATUS LOG: counts a runner's log and shows what failed
judge() {
	local front_end=$1 runner=$2 status=$3 log=$4 passed failed refused=0 expression n
	local name=${runner%.py}

	read -r passed failed < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$log" |
		tail -1)
	if [ -z "${failed:-}" ] || { [ "$status" != 0 ] && [ "$failed" = 0 ]; }; then
		say "FAIL $front_end $runner: ended with status $status"
		tail -5 "$log"
		result "$front_end" "$name" "${passed:-0}" 0 1
		return
	fi
	cp "$log" "$log.rest"
	while read -r expression; do
		n=$(grep -cE "$expression" "$log.rest")
		refused=$((refused + n))
		grep -vE "$expression" "$log.rest" >"$log.next"
		mv "$log.next" "$log.rest"
	done < <(refusals_of "$front_end" | grep '^^FAIL')
	grep '^FAIL' "$log.rest" | sed "s/^FAIL/$kernel FAIL $front_end/"
	rm "$log.rest"
	failed=$((failed - refused))
	say "$front_end $runner: $passed passed, $failed failed, $refused refused as documented," \
		"$SECONDS s"
	result "$front_end" "$name" "$passed" "$refused" "$failed"
}

# A refusal that no runner met is out of date.
check_refusals() {
	local front_end=$1 expression

	while read -r expression; do
		if ! cat "$directory/doctor" "$directory/$front_end".*.log 2>/dev/null |
			grep -qE "$expression"; then
			say "FAIL $front_end: in tests/vm/refusals, but did not happen: $expression"
			result "$front_end" refusals 0 0 1
		fi
	done < <(refusals_of "$front_end")
}

# The one that finwait chooses by itself.
best() {
	grep -q "^$1 *works, chosen" "$directory/doctor"
}

# Attached is not firing: what the self-test saw of this front end's hooks.
judge_self_test() {
	local fired missed

	read -r fired missed < <(awk -v front_end="$1" \
		'/^(trampoline|kprobe|timer) / { at = $1 }
		at == front_end && / fires$/ { fired++ }
		at == front_end && /DID NOT FIRE$/ { missed++ }
		END { print fired + 0, missed + 0 }' "$directory/doctor")
	[ "$fired" -gt 0 ] || missed=$((missed + 1))
	say "$1 self-test: $fired hooks fire, $missed do not"
	result "$1" self-test "$fired" 0 "$missed"
}

# All front ends that work here at once, if there are two; counted for the first.
test_cross() {
	local log=$directory/cross.log working

	mapfile -t working < <(awk '$1 ~ /^(trampoline|kprobe|timer)$/ && $2 ~ /^works/ { print $1 }' \
		"$directory/doctor")
	[ ${#working[@]} -ge 2 ] || return
	SECONDS=0
	timeout -k 10 "$runner_seconds" tests/live/cross.py "${working[@]}" >"$log" 2>&1 </dev/null
	judge "${working[0]}" cross.py $? "$log"
}

test_front_end() {
	local front_end=$1 runner log status refusal chosen arguments=()

	if ! grep -q "^$front_end *works" "$directory/doctor"; then
		refusal=$(grep "^$front_end " "$directory/doctor")
		if [ "$refusal" ] && grep -qE -f <(refusals_of "$front_end") <<<"$refusal"; then
			say "$refusal (as documented)"
			result "$front_end" doctor 0 1 0
		else
			say "FAIL ${refusal:-$front_end: not mentioned by finwait doctor}"
			result "$front_end" doctor 0 0 1
		fi
		return
	fi
	judge_self_test "$front_end"
	[ -z "$only_self_test" ] || return
	[ -z "${VM_QUICK:-}" ] || best "$front_end" || arguments=(--case "$QUICK_CASES")
	for runner in $RUNNERS $(best "$front_end" && echo "$RUNNERS_OF_THE_BEST"); do
		log=$directory/$front_end.$(basename "$runner").log
		chosen=()
		case $runner in
		*/paths.py) chosen=("${arguments[@]}") ;;
		*/refused.py) best "$front_end" || chosen=(leaves_nothing) ;;
		esac
		SECONDS=0
		FINWAIT_ARGS=--hooks=$front_end timeout -k 10 "$runner_seconds" "$runner" \
			"${chosen[@]}" >"$log" 2>&1 </dev/null
		status=$?
		judge "$front_end" "$(basename "$runner")" "$status" "$log"
	done
	check_refusals "$front_end"
}

uname -r >"$directory/release"
modprobe -a tun veth
./finwait doctor --self-test >"$directory/doctor" 2>&1
for front_end; do
	test_front_end "$front_end"
	if [ "$front_end" = "$1" ] && [ -z "$only_self_test" ]; then test_cross; fi
	echo "$front_end" >>"$directory/finished"
done
