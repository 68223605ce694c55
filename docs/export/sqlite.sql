-- SPDX-License-Identifier: GPL-2.0-only
--
-- What "finwait timeline -f json" prints, in SQLite (3.38 and later).
--
--	sqlite3 finwait.db < sqlite.sql
--	finwait timeline -f json | sqlite3 finwait.db '.mode ascii' '.separator "\037" "\n"' \
--		'.import /dev/stdin finwait_lines'
--	sqlite3 -box finwait.db 'SELECT * FROM finwait_close_wait_holders LIMIT 10'
--
-- Each line is kept as it is, and the view reads the columns from it. Any other field of the JSON
-- contract is line ->> 'field'; NULL is what finwait does not know.

CREATE TABLE IF NOT EXISTS finwait_lines (line TEXT NOT NULL CHECK (json_valid(line)));

CREATE INDEX IF NOT EXISTS finwait_start ON finwait_lines (line ->> 'start');
CREATE INDEX IF NOT EXISTS finwait_raddr ON finwait_lines (line ->> 'raddr');

CREATE VIEW IF NOT EXISTS finwait AS
SELECT line ->> 'conn' AS conn,
    line ->> 'family' AS family,
    line ->> 'laddr' AS laddr,
    line ->> 'lport' AS lport,
    line ->> 'raddr' AS raddr,
    line ->> 'rport' AS rport,
    line ->> 'netns' AS netns,
    line ->> 'role' AS role,
    line ->> 'pid' AS pid,
    line ->> 'comm' AS comm,
    line ->> 'cgroup' AS cgroup,
    line ->> 'start' AS start,
    line ->> 'ended' AS ended,
    coalesce(line ->> 'open', 0) AS open,
    line ->> 'state' AS state,
    line ->> 'end' AS "end",
    line ->> 'closed_by' AS closed_by,
    line ->> 'bytes_sent' AS bytes_sent,
    line ->> 'bytes_received' AS bytes_received,
    line ->> 'retransmits' AS retransmits,
    -- at least, where the exact time is not known
    coalesce(line ->> 'established_ns', line ->> 'established_ns_min') AS established_ns,
    coalesce(line ->> 'close_wait_ns', line ->> 'close_wait_ns_min') AS close_wait_ns,
    coalesce(line ->> 'fin_wait_2_ns', line ->> 'fin_wait_2_ns_min') AS fin_wait_2_ns,
    coalesce(line ->> 'fin_wait_2_orphaned', 0) AS fin_wait_2_orphaned,
    line ->> 'time_wait_ns' AS time_wait_ns, -- exact ones only
    line
FROM finwait_lines;

-- Who keeps sockets in CLOSE_WAIT, towards whom: how many, how many still, for how long in all.
CREATE VIEW IF NOT EXISTS finwait_close_wait_holders AS
SELECT comm, pid, raddr,
    count(*) AS sockets,
    sum(state IS 'CLOSE_WAIT') AS still_held,
    sum(close_wait_ns) / 1e9 AS held_s,
    max(close_wait_ns) / 1e9 AS longest_s
FROM finwait
WHERE close_wait_ns IS NOT NULL
GROUP BY comm, pid, raddr
ORDER BY still_held DESC, held_s DESC;

-- What ended TIME_WAIT, hour by hour, and how long it had lasted.
CREATE VIEW IF NOT EXISTS finwait_time_wait_by_cause AS
SELECT substr(ended, 1, 13) || ':00:00Z' AS hour, "end" AS cause,
    count(*) AS connections,
    min(time_wait_ns) / 1e9 AS shortest_s,
    avg(time_wait_ns) / 1e9 AS mean_s,
    max(time_wait_ns) / 1e9 AS longest_s
FROM finwait
WHERE "end" LIKE 'time_wait%'
GROUP BY hour, cause
ORDER BY hour, connections DESC;

-- Peers that acknowledge our FIN and then do not send theirs for a second or more. Orphaned: our
-- application has closed, and tcp_fin_timeout limits it. Not orphaned: shutdown(), and nothing does.
CREATE VIEW IF NOT EXISTS finwait_fin_wait_2_stalls AS
SELECT raddr, fin_wait_2_orphaned AS orphaned,
    count(*) AS stalls,
    sum(state IS 'FIN_WAIT_2') AS still_waiting,
    sum("end" IS 'fin_wait_2_timeout') AS timed_out,
    max(fin_wait_2_ns) / 1e9 AS longest_s
FROM finwait
WHERE fin_wait_2_ns >= 1000000000
GROUP BY raddr, orphaned
ORDER BY stalls DESC, longest_s DESC;
