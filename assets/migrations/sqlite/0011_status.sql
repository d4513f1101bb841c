-- The status of each document and the times that lists are sorted by, kept by triggers, so that counts, filters and
-- orders need not look at every document. A status that depends on the time is kept with the time until which it holds.
CREATE TABLE document_status (
    document_id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    assistant_id INTEGER NOT NULL,
    -- 0 failed, 1 stuck, 2 waiting, 3 syncing, 4 queued, 5 stale, 6 synced, 7 never.
    status INTEGER NOT NULL,
    -- After this time `syncing` is `stuck`, and `synced` is `stale`; NULL while time alone changes nothing.
    status_until INTEGER,
    attempted_at INTEGER,
    synced_at INTEGER,
    -- When the scheduled job runs.
    next_at INTEGER
);

-- The rule: what document_status holds for each document. A row that says `syncing` is stuck two hours after its attempt.
CREATE VIEW status_facts AS
    SELECT d.id AS document_id, d.account_id, d.assistant_id,
        CASE WHEN l.lock_holder IS NOT NULL THEN 2 WHEN l.state = 'running' THEN 3 WHEN l.state = 'ready' THEN 4
            WHEN l.state = 'scheduled' AND l.attempt > 0 THEN 2
            WHEN d.sync_status = 0 THEN CASE WHEN d.last_sync_attempted_at IS NULL THEN 1 ELSE 3 END
            WHEN d.sync_status = 2 THEN 0 WHEN d.sync_status = 1 THEN 6 ELSE 7 END AS status,
        CASE WHEN l.lock_holder IS NOT NULL OR l.state IN ('running', 'ready') OR l.attempt > 0 THEN NULL
            WHEN d.sync_status = 0 THEN d.last_sync_attempted_at + 7200000000
            WHEN d.sync_status = 1 THEN d.last_synced_at + c.cadence END AS status_until,
        d.last_sync_attempted_at AS attempted_at, d.last_synced_at AS synced_at,
        CASE WHEN l.state = 'scheduled' THEN l.run_at END AS next_at
    FROM captain_documents d
    LEFT JOIN jobs l ON l.document_id = d.id AND l.state IN ('scheduled', 'ready', 'running')
    LEFT JOIN accounts_sched c ON c.account_id = d.account_id;

-- Documents by account and status, and by host with the failed ones among them: kept by triggers, too.
CREATE TABLE document_counts (
    account_id INTEGER NOT NULL,
    status INTEGER NOT NULL,
    documents INTEGER NOT NULL,
    PRIMARY KEY (account_id, status)
) WITHOUT ROWID;
CREATE TABLE host_counts (
    host TEXT PRIMARY KEY,
    documents INTEGER NOT NULL,
    failed INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO document_status SELECT * FROM status_facts;
INSERT INTO document_counts SELECT account_id, status, count(*) FROM document_status GROUP BY account_id, status;
INSERT INTO host_counts SELECT s.host, count(*), count(CASE WHEN d.sync_status = 2 THEN 1 END)
    FROM document_state s LEFT JOIN captain_documents d ON d.id = s.document_id GROUP BY s.host;

CREATE INDEX status_order ON document_status (status);
CREATE INDEX status_until ON document_status (status_until, status, account_id) WHERE status_until IS NOT NULL;
CREATE INDEX status_attempted ON document_status (attempted_at);
CREATE INDEX status_synced ON document_status (synced_at);
CREATE INDEX status_next ON document_status (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX status_account ON document_status (account_id, status);
CREATE INDEX state_error ON document_state (error_code, coalesce(detail, '')) WHERE error_code IS NOT NULL;
-- Nothing reads it any more.
DROP INDEX documents_status;

CREATE TRIGGER document_added AFTER INSERT ON captain_documents BEGIN
    INSERT INTO document_status SELECT * FROM status_facts WHERE document_id = NEW.id;
    UPDATE host_counts SET failed = failed + 1
        WHERE NEW.sync_status = 2 AND host = (SELECT host FROM document_state WHERE document_id = NEW.id);
END;
-- Each column is written only when it changes: a write costs its index, too.
CREATE TRIGGER document_changed
    AFTER UPDATE OF account_id, assistant_id, sync_status, last_synced_at, last_sync_attempted_at ON captain_documents
BEGIN
    UPDATE document_status SET attempted_at = NEW.last_sync_attempted_at
        WHERE document_id = NEW.id AND attempted_at IS NOT NEW.last_sync_attempted_at;
    UPDATE document_status SET synced_at = NEW.last_synced_at
        WHERE document_id = NEW.id AND synced_at IS NOT NEW.last_synced_at;
    UPDATE document_status SET account_id = NEW.account_id, assistant_id = NEW.assistant_id
        WHERE document_id = NEW.id AND (account_id, assistant_id) <> (NEW.account_id, NEW.assistant_id);
    UPDATE document_status SET status = f.status, status_until = f.status_until
        FROM status_facts f WHERE f.document_id = NEW.id AND document_status.document_id = NEW.id
        AND (document_status.status, document_status.status_until) IS NOT (f.status, f.status_until);
END;
CREATE TRIGGER document_failed AFTER UPDATE OF sync_status ON captain_documents
    WHEN (OLD.sync_status IS 2) <> (NEW.sync_status IS 2)
BEGIN
    UPDATE host_counts SET failed = failed + CASE WHEN NEW.sync_status IS 2 THEN 1 ELSE -1 END
        WHERE host = (SELECT host FROM document_state WHERE document_id = NEW.id);
END;
CREATE TRIGGER document_removed AFTER DELETE ON captain_documents BEGIN
    DELETE FROM document_status WHERE document_id = OLD.id;
    UPDATE host_counts SET failed = failed - 1
        WHERE OLD.sync_status = 2 AND host = (SELECT host FROM document_state WHERE document_id = OLD.id);
END;

CREATE TRIGGER job_added AFTER INSERT ON jobs WHEN NEW.state IN ('scheduled', 'ready', 'running') BEGIN
    UPDATE document_status SET status = f.status, status_until = f.status_until
        FROM status_facts f WHERE f.document_id = NEW.document_id AND document_status.document_id = NEW.document_id
        AND (document_status.status, document_status.status_until) IS NOT (f.status, f.status_until);
    UPDATE document_status SET next_at = NEW.run_at WHERE document_id = NEW.document_id AND NEW.state = 'scheduled';
END;
CREATE TRIGGER job_changed AFTER UPDATE OF document_id, state, attempt, lock_holder, run_at ON jobs
    WHEN (OLD.document_id, OLD.state, OLD.attempt, OLD.lock_holder, OLD.run_at)
        IS NOT (NEW.document_id, NEW.state, NEW.attempt, NEW.lock_holder, NEW.run_at)
BEGIN
    UPDATE document_status SET status = f.status, status_until = f.status_until
        FROM status_facts f WHERE f.document_id = NEW.document_id AND document_status.document_id = NEW.document_id
        AND (document_status.status, document_status.status_until) IS NOT (f.status, f.status_until);
    UPDATE document_status SET next_at = CASE WHEN NEW.state = 'scheduled' THEN NEW.run_at END
        WHERE document_id = NEW.document_id AND next_at IS NOT CASE WHEN NEW.state = 'scheduled' THEN NEW.run_at END;
END;
CREATE TRIGGER job_removed AFTER DELETE ON jobs WHEN OLD.state IN ('scheduled', 'ready', 'running') BEGIN
    UPDATE document_status SET status = f.status, status_until = f.status_until, next_at = f.next_at
        FROM status_facts f WHERE f.document_id = OLD.document_id AND document_status.document_id = OLD.document_id;
END;

CREATE TRIGGER plan_added AFTER INSERT ON accounts_sched WHEN NEW.cadence IS NOT NULL BEGIN
    UPDATE document_status SET status = f.status, status_until = f.status_until
        FROM status_facts f WHERE f.document_id = document_status.document_id
        AND document_status.account_id = NEW.account_id AND f.account_id = NEW.account_id
        AND (document_status.status, document_status.status_until) IS NOT (f.status, f.status_until);
END;
CREATE TRIGGER plan_changed AFTER UPDATE OF cadence ON accounts_sched WHEN OLD.cadence IS NOT NEW.cadence BEGIN
    UPDATE document_status SET status = f.status, status_until = f.status_until
        FROM status_facts f WHERE f.document_id = document_status.document_id
        AND document_status.account_id = NEW.account_id AND f.account_id = NEW.account_id
        AND (document_status.status, document_status.status_until) IS NOT (f.status, f.status_until);
END;
CREATE TRIGGER plan_removed AFTER DELETE ON accounts_sched WHEN OLD.cadence IS NOT NULL BEGIN
    UPDATE document_status SET status = f.status, status_until = f.status_until
        FROM status_facts f WHERE f.document_id = document_status.document_id
        AND document_status.account_id = OLD.account_id AND f.account_id = OLD.account_id
        AND (document_status.status, document_status.status_until) IS NOT (f.status, f.status_until);
END;

CREATE TRIGGER status_added AFTER INSERT ON document_status BEGIN
    INSERT INTO document_counts VALUES (NEW.account_id, NEW.status, 1)
        ON CONFLICT (account_id, status) DO UPDATE SET documents = documents + 1;
END;
CREATE TRIGGER status_changed AFTER UPDATE OF account_id, status ON document_status
    WHEN (OLD.account_id, OLD.status) <> (NEW.account_id, NEW.status)
BEGIN
    UPDATE document_counts SET documents = documents - 1 WHERE account_id = OLD.account_id AND status = OLD.status;
    INSERT INTO document_counts VALUES (NEW.account_id, NEW.status, 1)
        ON CONFLICT (account_id, status) DO UPDATE SET documents = documents + 1;
END;
CREATE TRIGGER status_removed AFTER DELETE ON document_status BEGIN
    UPDATE document_counts SET documents = documents - 1 WHERE account_id = OLD.account_id AND status = OLD.status;
END;

CREATE TRIGGER state_added AFTER INSERT ON document_state BEGIN
    INSERT INTO host_counts VALUES
        (NEW.host, 1, (SELECT count(*) FROM captain_documents WHERE id = NEW.document_id AND sync_status = 2))
        ON CONFLICT (host) DO UPDATE SET documents = documents + 1, failed = failed + excluded.failed;
END;
CREATE TRIGGER state_moved AFTER UPDATE OF document_id, host ON document_state
    WHEN (OLD.document_id, OLD.host) <> (NEW.document_id, NEW.host)
BEGIN
    UPDATE host_counts SET documents = documents - 1, failed = failed
        - (SELECT count(*) FROM captain_documents WHERE id = OLD.document_id AND sync_status = 2) WHERE host = OLD.host;
    DELETE FROM host_counts WHERE host = OLD.host AND documents = 0;
    INSERT INTO host_counts VALUES
        (NEW.host, 1, (SELECT count(*) FROM captain_documents WHERE id = NEW.document_id AND sync_status = 2))
        ON CONFLICT (host) DO UPDATE SET documents = documents + 1, failed = failed + excluded.failed;
END;
CREATE TRIGGER state_removed AFTER DELETE ON document_state BEGIN
    UPDATE host_counts SET documents = documents - 1, failed = failed
        - (SELECT count(*) FROM captain_documents WHERE id = OLD.document_id AND sync_status = 2) WHERE host = OLD.host;
    DELETE FROM host_counts WHERE host = OLD.host AND documents = 0;
END;
