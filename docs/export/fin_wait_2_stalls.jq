# Peers that acknowledge our FIN and then do not send theirs for a second or more.
#	jq -s -c -f fin_wait_2_stalls.jq lines.json
map(. + {stall: (.fin_wait_2_ns // .fin_wait_2_ns_min)} | select(.stall != null and .stall >= 1e9))
| group_by([.raddr, .fin_wait_2_orphaned])
| map({raddr: .[0].raddr, orphaned: (.[0].fin_wait_2_orphaned // false),
       stalls: length,
       still_waiting: (map(select(.state == "FIN_WAIT_2")) | length),
       timed_out: (map(select(.end == "fin_wait_2_timeout")) | length),
       longest_s: ((map(.stall) | max) / 1e9)})
| sort_by(-.stalls, -.longest_s)[]
