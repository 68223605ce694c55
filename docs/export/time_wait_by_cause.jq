# What ended TIME_WAIT, hour by hour, and how long it had lasted.
#	jq -s -c -f time_wait_by_cause.jq lines.json
map(select((.end // "") | startswith("time_wait")) | . + {hour: (.ended[:13] + ":00:00Z")})
| group_by([.hour, .end])
| map({hour: .[0].hour, cause: .[0].end, connections: length} +
      (map(.time_wait_ns | values) |
       if length == 0 then {shortest_s: null, mean_s: null, longest_s: null}
       else {shortest_s: (min / 1e9), mean_s: (add / length / 1e9), longest_s: (max / 1e9)} end))
| sort_by(.hour, -.connections)[]
