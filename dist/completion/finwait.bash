# SPDX-License-Identifier: GPL-2.0-only
# bash completion for finwait
#
# Commands and options are asked of finwait itself (--help), states and findings too (finwait explain),
# so that they are those of the version that is installed. Only the values that no --help lists are here.

# _finwait_commands PROGRAM
_finwait_commands() {
	"$1" --help 2>/dev/null | sed -nE 's/^  ([a-z]+) .*/\1/p'
}

# _finwait_options PROGRAM COMMAND: one a line, "-L, --localport=PORTS", "--wide"
_finwait_options() {
	ARGP_HELP_FMT=rmargin=2000 "$1" "$2" --help 2>/dev/null |
		sed -nE 's/^ {2,6}(-[^ ]+( --[^ ]+)?)( .*)?$/\1/p'
}

# _finwait_value_of OPTION SPELLED...: "localport PORTS" for -L and --localport; fails if it takes none
_finwait_value_of() {
	local option=$1 spelled name

	shift
	for spelled; do
		[[ $spelled == *=* ]] || continue
		name=${spelled%=*}
		if [[ $name == "$option" || $name == "$option, "* || $name == *", $option" ]]; then
			echo "${name##*--} ${spelled#*=}"
			return 0
		fi
	done
	return 1
}

# Topics of finwait explain: the states, in small letters, or the findings
_finwait_states() {
	"$1" explain 2>/dev/null | sed -nE '/^States/,/^$/s/^  ([A-Z0-9_]+) .*/\L\1/p'
}

_finwait_findings() {
	"$1" explain 2>/dev/null | sed -nE '/^Findings/,$s/^  ([a-z0-9-]+) .*/\1/p'
}

_finwait_control_groups() {
	local dir=/sys/fs/cgroup

	[[ -d $dir/unified ]] && dir=$dir/unified
	find "$dir" -mindepth 1 -type d -printf '/%P\n' 2>/dev/null
}

# _finwait_values PROGRAM COMMAND OPTION: what it may be given, one a line
_finwait_values() {
	case $3 in
	format) printf '%s\n' text json; [[ $2 == report ]] && echo html ;;
	hooks) printf '%s\n' trampoline kprobe timer ;;
	state) _finwait_states "$1" ;;
	by) printf '%s\n' process peer cgroup netns port ;;
	netns) ip netns list 2>/dev/null | sed 's/ .*//' ;;
	pid) (cd /proc && printf '%s\n' [0-9]*) ;;
	comm) cat /proc/[0-9]*/comm 2>/dev/null | sort -u ;; # sort alone gives up if a process ends
	cgroup) _finwait_control_groups ;;
	localport) ss -Htln 2>/dev/null | sed -nE 's/^([^ ]+ +){3}[^ ]*:([0-9]+) .*/\2/p' |
		sort -u ;;
	user) compgen -u ;;
	esac
}

# _finwait_fill LIST WORD: those lines of LIST that begin with WORD. Not compgen -W, which would expand
# what is in them: anyone may name a process or a control group.
_finwait_fill() {
	local line

	COMPREPLY=()
	while read -r line; do
		[[ -n $line && $line == "$2"* ]] && COMPREPLY+=("$(printf %q "$line")")
	done <<<"$1"
}

# _finwait_fill_value PROGRAM COMMAND "OPTION VALUE" WORD
_finwait_fill_value() {
	local option=${3% *} value=${3#* } before=

	if [[ $value == FILE || $value == DIR ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen "$([[ $value == DIR ]] && echo -d || echo -f)" -- "$4")
		return
	fi
	# A list: what stands before its last comma stays.
	[[ $value == *S && $4 == *,* ]] && before=${4%,*},
	_finwait_fill "$(_finwait_values "$1" "$2" "$option")" "${4#"$before"}"
	COMPREPLY=("${COMPREPLY[@]/#/$before}")
}

# _finwait_fill_option WORD SPELLED...: long options, with their "=", and those that have no long form
_finwait_fill_option() {
	local word=$1 spelled all=

	shift
	for spelled; do
		spelled=${spelled##*, }
		[[ $spelled == *=* ]] && spelled=${spelled%%=*}"="
		all+=$spelled$'\n'
	done
	_finwait_fill "$all" "$word"
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

_finwait() {
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} options value
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	if [[ $COMP_CWORD == 1 ]]; then
		_finwait_fill "$(_finwait_commands "$program")"$'\n--help\n--version' "$word"
		return
	fi
	if [[ $command == record && " ${COMP_WORDS[*]:2:COMP_CWORD-2} " == *" -- "* ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$word" | sort -u)
		return
	fi
	# readline splits "--format=te" into three words.
	[[ $word == = ]] && word=
	[[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
	[[ ${COMP_WORDS[COMP_CWORD]} == = ]] && previous=${COMP_WORDS[COMP_CWORD - 1]}
	mapfile -t options < <(_finwait_options "$program" "$command")
	if value=$(_finwait_value_of "$previous" "${options[@]}"); then
		_finwait_fill_value "$program" "$command" "$value" "$word"
	elif [[ $word == -* ]]; then
		_finwait_fill_option "$word" "${options[@]}"
	elif [[ $command == explain ]]; then
		_finwait_fill "$(_finwait_states "$program"; _finwait_findings "$program")" "$word"
	elif [[ $command == report ]]; then
		_finwait_fill $'10s\n30s\n1m\n5m' "$word"
	fi
}

complete -F _finwait finwait
