-- SPDX-License-Identifier: GPL-2.0-only
--
-- What "finwait timeline -f json" prints, in ClickHouse. 18.16 and later.
--
--	clickhouse-client -n < clickhouse.sql
--	finwait timeline -f json | clickhouse-client --input_format_skip_unknown_fields=1 \
--		-q 'INSERT INTO finwait FORMAT JSONEachRow'
--	clickhouse-client -q 'SELECT * FROM finwait_close_wait_holders LIMIT 10'
--
-- The columns are the fields of the JSON contract; NULL is what finwait does not know. "states", an
-- array of objects, is left out: the same times are in the columns syn_sent_ns to last_ack_ns.
-- _ns_min and _ns_max are bounds, where the exact time is not known.

CREATE TABLE IF NOT EXISTS finwait
(
    conn UInt64,
    family String,
    laddr Nullable(String),
    lport Nullable(UInt16),
    raddr Nullable(String),
    rport Nullable(UInt16),
    netns UInt32,
    netns_name Nullable(String),
    role Nullable(String),
    pid Nullable(UInt32),
    comm Nullable(String),
    pid_of_listener UInt8,
    cgroup Nullable(String),
    uid Nullable(UInt32),
    start String,
    start_exact UInt8,
    syn_sent_ns Nullable(UInt64),
    syn_sent_ns_min Nullable(UInt64),
    syn_sent_ns_max Nullable(UInt64),
    syn_recv_ns Nullable(UInt64),
    syn_recv_ns_min Nullable(UInt64),
    syn_recv_ns_max Nullable(UInt64),
    established_ns Nullable(UInt64),
    established_ns_min Nullable(UInt64),
    established_ns_max Nullable(UInt64),
    fin_wait_1_ns Nullable(UInt64),
    fin_wait_1_ns_min Nullable(UInt64),
    fin_wait_1_ns_max Nullable(UInt64),
    fin_wait_2_ns Nullable(UInt64),
    fin_wait_2_ns_min Nullable(UInt64),
    fin_wait_2_ns_max Nullable(UInt64),
    fin_wait_2_orphaned UInt8,
    closing_ns Nullable(UInt64),
    closing_ns_min Nullable(UInt64),
    closing_ns_max Nullable(UInt64),
    time_wait_ns Nullable(UInt64),
    time_wait_ns_min Nullable(UInt64),
    time_wait_ns_max Nullable(UInt64),
    time_wait_restarts Nullable(UInt16),
    close_wait_ns Nullable(UInt64),
    close_wait_ns_min Nullable(UInt64),
    close_wait_ns_max Nullable(UInt64),
    last_ack_ns Nullable(UInt64),
    last_ack_ns_min Nullable(UInt64),
    last_ack_ns_max Nullable(UInt64),
    open UInt8,
    state Nullable(String),
    ended Nullable(String),
    `end` Nullable(String),
    error Nullable(String),
    closed_by Nullable(String),
    three_segment_close UInt8,
    gap UInt8,
    bytes_sent Nullable(UInt64),
    bytes_received Nullable(UInt64),
    retransmits Nullable(UInt32),
    -- to the second; "start" and "ended" have the nanoseconds
    start_time DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(start),
    ended_time Nullable(DateTime('UTC')) MATERIALIZED parseDateTimeBestEffortOrNull(ended)
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(start_time)
ORDER BY (start_time, conn);

-- Who keeps sockets in CLOSE_WAIT, towards whom: how many, how many still, for how long in all.
CREATE VIEW IF NOT EXISTS finwait_close_wait_holders AS
SELECT comm, pid, raddr,
    count() AS sockets,
    countIf(ifNull(state, '') = 'CLOSE_WAIT') AS still_held,
    sum(coalesce(close_wait_ns, close_wait_ns_min)) / 1e9 AS held_s,
    max(coalesce(close_wait_ns, close_wait_ns_min)) / 1e9 AS longest_s
FROM finwait
WHERE coalesce(close_wait_ns, close_wait_ns_min) IS NOT NULL
GROUP BY comm, pid, raddr
ORDER BY still_held DESC, held_s DESC;

-- What ended TIME_WAIT, hour by hour, and how long it had lasted.
CREATE VIEW IF NOT EXISTS finwait_time_wait_by_cause AS
SELECT toStartOfHour(ended_time) AS hour, `end` AS cause,
    count() AS connections,
    min(time_wait_ns) / 1e9 AS shortest_s,
    avg(time_wait_ns) / 1e9 AS mean_s,
    max(time_wait_ns) / 1e9 AS longest_s
FROM finwait
WHERE `end` LIKE 'time_wait%'
GROUP BY hour, cause
ORDER BY hour, connections DESC;

-- Peers that acknowledge our FIN and then do not send theirs for a second or more. Orphaned: our
-- application has closed, and tcp_fin_timeout limits it. Not orphaned: shutdown(), and nothing does.
CREATE VIEW IF NOT EXISTS finwait_fin_wait_2_stalls AS
SELECT raddr, fin_wait_2_orphaned AS orphaned,
    count() AS stalls,
    countIf(ifNull(state, '') = 'FIN_WAIT_2') AS still_waiting,
    countIf(ifNull(`end`, '') = 'fin_wait_2_timeout') AS timed_out,
    max(coalesce(fin_wait_2_ns, fin_wait_2_ns_min)) / 1e9 AS longest_s
FROM finwait
WHERE coalesce(fin_wait_2_ns, fin_wait_2_ns_min) >= 1000000000
GROUP BY raddr, orphaned
ORDER BY stalls DESC, longest_s DESC;
