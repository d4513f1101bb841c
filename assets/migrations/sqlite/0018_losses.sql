-- A job runs alone from the second loss of its worker on, no longer from the first.
DROP INDEX jobs_lane;
CREATE INDEX jobs_lane ON jobs (account_id, host, class, (crashes > 1), vtime, id) WHERE state = 'ready';
DELETE FROM lanes;
INSERT INTO lanes (account_id, host, class, risky, head)
    SELECT account_id, host, class, (crashes > 1), min(vtime) FROM jobs
    WHERE state = 'ready' GROUP BY account_id, host, class, (crashes > 1);
