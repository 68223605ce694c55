-- SPDX-License-Identifier: GPL-2.0-only
--
-- The connections of many hosts in one ClickHouse table, as finwait serve --clickhouse sends them. 18.16
-- and later.
--
--	clickhouse-client -n < clickhouse.sql
--	finwait serve --clickhouse http://clickhouse:8123/		on every host
--	clickhouse-client -q 'SELECT * FROM finwait_fleet_leaks LIMIT 10'
--
-- The columns are those of docs/export/clickhouse.sql, and before them what names a row in the fleet.
-- A batch is one insert, and of one partition: so it is there as a whole or not at all. finwait asks
-- whether a batch has come before it sends it again; should one come twice all the same, the key makes one
-- row of two, at the next merge, or for who says FINAL, as the views do.

CREATE TABLE IF NOT EXISTS finwait_fleet
(
    host String,
    batch UInt64,
    batch_row UInt32,
    batch_time DateTime('UTC'),
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
ENGINE = ReplacingMergeTree()
PARTITION BY toYYYYMM(batch_time)
ORDER BY (batch_time, host, batch, batch_row);

-- How connections end, by host and hour.
CREATE VIEW IF NOT EXISTS finwait_fleet_ends AS
SELECT host, toStartOfHour(batch_time) AS hour, `end`,
    count() AS connections,
    sum(retransmits) AS retransmits
FROM finwait_fleet FINAL
GROUP BY host, hour, `end`
ORDER BY hour, host, connections DESC;

-- Which programs kept CLOSE_WAIT for over a second, on how many hosts: a bug is on all of them.
CREATE VIEW IF NOT EXISTS finwait_fleet_leaks AS
SELECT comm,
    uniqExact(host) AS hosts,
    count() AS connections,
    max(coalesce(close_wait_ns, close_wait_ns_min)) / 1e9 AS longest_s,
    topK(3)(raddr) AS peers
FROM finwait_fleet FINAL
WHERE coalesce(close_wait_ns, close_wait_ns_min) >= 1000000000
GROUP BY comm
ORDER BY hosts DESC, connections DESC;

-- How long TIME_WAIT really lasts, host by host.
CREATE VIEW IF NOT EXISTS finwait_fleet_time_wait AS
SELECT host,
    count() AS connections,
    countIf(`end` = 'time_wait_expired') AS expired,
    countIf(`end` = 'time_wait_reused') AS reused,
    quantileExact(0.5)(time_wait_ns) / 1e9 AS median_s,
    max(time_wait_ns) / 1e9 AS longest_s
FROM finwait_fleet FINAL
WHERE time_wait_ns IS NOT NULL
GROUP BY host
ORDER BY host;

-- Peers that leave us in FIN_WAIT_2 for a second or more, and how many hosts they do it to.
CREATE VIEW IF NOT EXISTS finwait_fleet_stalls AS
SELECT raddr,
    uniqExact(host) AS hosts,
    count() AS stalls,
    max(coalesce(fin_wait_2_ns, fin_wait_2_ns_min)) / 1e9 AS longest_s
FROM finwait_fleet FINAL
WHERE coalesce(fin_wait_2_ns, fin_wait_2_ns_min) >= 1000000000
GROUP BY raddr
ORDER BY hosts DESC, stalls DESC;

-- Where connect() fails: refused, timed out, reset, no port left.
CREATE VIEW IF NOT EXISTS finwait_fleet_failures AS
SELECT host, comm, raddr, rport, `end`,
    count() AS connections
FROM finwait_fleet FINAL
WHERE `end` IN ('refused', 'timed_out', 'no_port', 'reset_received') AND role = 'active'
GROUP BY host, comm, raddr, rport, `end`
ORDER BY connections DESC;
