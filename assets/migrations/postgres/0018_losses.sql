-- A job runs alone from the second loss of its worker on, no longer from the first.
DROP INDEX quarterdeck.jobs_lane;
CREATE INDEX jobs_lane ON quarterdeck.jobs (account_id, host, class, (crashes > 1), vtime, id) WHERE state = 'ready';
DELETE FROM quarterdeck.lanes;
INSERT INTO quarterdeck.lanes (account_id, host, class, risky, head)
    SELECT account_id, host, class, (crashes > 1), min(vtime) FROM quarterdeck.jobs
    WHERE state = 'ready' GROUP BY account_id, host, class, (crashes > 1);
