-- Whether the host asked to be left alone (asked_for) or nothing good came from it (cool_down). What was decided before
-- there was such a word is told by its reason once more, for the last time.
ALTER TABLE quarterdeck.hosts_sched ADD COLUMN held_kind text;
UPDATE quarterdeck.hosts_sched SET held_kind = CASE WHEN held_because LIKE '%(Retry-After)' THEN 'asked_for' ELSE 'cool_down' END
    WHERE held_until IS NOT NULL;
