# Who keeps sockets in CLOSE_WAIT, towards whom: how many, how many still, for how long in all.
#	jq -s -c -f close_wait_holders.jq lines.json | head
map(. + {held: (.close_wait_ns // .close_wait_ns_min)} | select(.held != null))
| group_by([.comm, .pid, .raddr])
| map({comm: .[0].comm, pid: .[0].pid, raddr: .[0].raddr,
       sockets: length,
       still_held: (map(select(.state == "CLOSE_WAIT")) | length),
       held_s: ((map(.held) | add) / 1e9),
       longest_s: ((map(.held) | max) / 1e9)})
| sort_by(-.still_held, -.held_s)[]
