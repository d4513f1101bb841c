-- The status of each document and the times that lists are sorted by, kept by triggers, so that counts, filters and
-- orders need not look at every document. A status that depends on the time is kept with the time until which it holds.
-- Only for a table of documents that is our own: Chatwoot's gets no trigger, and these tables stay empty beside it.
CREATE TABLE quarterdeck.document_status (
    document_id bigint PRIMARY KEY,
    account_id bigint NOT NULL,
    assistant_id bigint NOT NULL,
    -- 0 failed, 1 stuck, 2 waiting, 3 syncing, 4 queued, 5 stale, 6 synced, 7 never.
    status bigint NOT NULL,
    -- After this time `syncing` is `stuck`, and `synced` is `stale`; NULL while time alone changes nothing.
    status_until bigint,
    attempted_at bigint,
    synced_at bigint,
    -- When the scheduled job runs.
    next_at bigint
) WITH (fillfactor = 80);
-- Documents by account and status, and by host with the failed ones among them. Each change adds rows with differences
-- instead of changing a row that all writers would wait for; the sum of an account's and status's rows counts.
CREATE TABLE quarterdeck.document_counts (account_id bigint NOT NULL, status bigint NOT NULL, documents bigint NOT NULL);
CREATE TABLE quarterdeck.host_counts (host text NOT NULL, documents bigint NOT NULL, failed bigint NOT NULL);

-- The first characters of a text, as many as fit into an index whatever they are.
CREATE FUNCTION quarterdeck.leading(line text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT left($1, 500) $$;

-- The elements of a JSON array, one row each: many rows as one parameter.
CREATE FUNCTION quarterdeck.elements(list text) RETURNS TABLE (value jsonb) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT e.value FROM jsonb_array_elements($1::jsonb) e $$;

-- Brings the rows of these documents up to date. They are locked first and the facts read by a statement of their own,
-- so that the last of several writers sees what the others have committed.
CREATE FUNCTION quarterdeck.refresh_status(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM quarterdeck.document_status WHERE document_id = ANY(ids) ORDER BY document_id FOR UPDATE;
    UPDATE quarterdeck.document_status m SET account_id = f.account_id, assistant_id = f.assistant_id, status = f.status,
        status_until = f.status_until, attempted_at = f.attempted_at, synced_at = f.synced_at, next_at = f.next_at
        FROM quarterdeck.status_facts f WHERE f.document_id = ANY(ids) AND m.document_id = f.document_id
        AND (m.account_id, m.assistant_id, m.status, m.status_until, m.attempted_at, m.synced_at, m.next_at)
        IS DISTINCT FROM (f.account_id, f.assistant_id, f.status, f.status_until, f.attempted_at, f.synced_at, f.next_at);
END $$;

CREATE FUNCTION quarterdeck.documents_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.document_status
        SELECT * FROM quarterdeck.status_facts WHERE document_id IN (SELECT id FROM added);
    INSERT INTO quarterdeck.host_counts SELECT s.host, 0, count(*) FROM added a
        JOIN quarterdeck.document_state s ON s.document_id = a.id WHERE a.sync_status = 2 GROUP BY s.host;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.documents_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM quarterdeck.refresh_status(ARRAY(SELECT a.id FROM added a JOIN removed r ON r.id = a.id
        WHERE (a.account_id, a.assistant_id, a.sync_status, a.last_synced_at, a.last_sync_attempted_at)
        IS DISTINCT FROM (r.account_id, r.assistant_id, r.sync_status, r.last_synced_at, r.last_sync_attempted_at)));
    INSERT INTO quarterdeck.host_counts SELECT s.host, 0, sum(CASE WHEN a.sync_status = 2 THEN 1 ELSE -1 END)
        FROM added a JOIN removed r ON r.id = a.id JOIN quarterdeck.document_state s ON s.document_id = a.id
        WHERE (a.sync_status IS NOT DISTINCT FROM 2) <> (r.sync_status IS NOT DISTINCT FROM 2) GROUP BY s.host;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.documents_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM quarterdeck.document_status WHERE document_id IN (SELECT id FROM removed);
    INSERT INTO quarterdeck.host_counts SELECT s.host, 0, -count(*) FROM removed r
        JOIN quarterdeck.document_state s ON s.document_id = r.id WHERE r.sync_status = 2 GROUP BY s.host;
    RETURN NULL;
END $$;

CREATE FUNCTION quarterdeck.jobs_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM quarterdeck.refresh_status(ARRAY(SELECT document_id FROM added));
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.jobs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[] := ARRAY(SELECT a.document_id FROM added a JOIN removed r ON r.id = a.id
        WHERE (a.document_id, a.state, a.attempt, a.lock_holder, a.run_at)
        IS DISTINCT FROM (r.document_id, r.state, r.attempt, r.lock_holder, r.run_at));
BEGIN
    -- A heartbeat renews leases and nothing else.
    IF cardinality(ids) > 0 THEN
        PERFORM quarterdeck.refresh_status(ids);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.jobs_removed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[] := ARRAY(SELECT document_id FROM removed WHERE state IN ('scheduled', 'ready', 'running'));
BEGIN
    IF cardinality(ids) > 0 THEN
        PERFORM quarterdeck.refresh_status(ids);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION quarterdeck.plan_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.account_id ELSE NEW.account_id END;
BEGIN
    PERFORM quarterdeck.refresh_status(ARRAY(SELECT id FROM captain_documents WHERE account_id = account));
    RETURN NULL;
END $$;

CREATE FUNCTION quarterdeck.statuses_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.document_counts SELECT account_id, status, count(*) FROM added GROUP BY account_id, status;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.statuses_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.document_counts SELECT account_id, status, sum(n) FROM (
        SELECT account_id, status, 1 AS n FROM added UNION ALL SELECT account_id, status, -1 FROM removed) q
        GROUP BY account_id, status HAVING sum(n) <> 0;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.statuses_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.document_counts SELECT account_id, status, -count(*) FROM removed GROUP BY account_id, status;
    RETURN NULL;
END $$;

CREATE FUNCTION quarterdeck.states_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.host_counts SELECT a.host, count(*), count(CASE WHEN d.sync_status = 2 THEN 1 END)
        FROM added a LEFT JOIN captain_documents d ON d.id = a.document_id GROUP BY a.host;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.states_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.host_counts SELECT r.host, -count(*), -count(CASE WHEN d.sync_status = 2 THEN 1 END)
        FROM removed r LEFT JOIN captain_documents d ON d.id = r.document_id GROUP BY r.host;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.state_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.host_counts SELECT h.host, h.n, CASE WHEN d.sync_status = 2 THEN h.n ELSE 0 END
        FROM (VALUES (OLD.host, OLD.document_id, -1), (NEW.host, NEW.document_id, 1)) AS h(host, document_id, n)
        LEFT JOIN captain_documents d ON d.id = h.document_id;
    RETURN NULL;
END $$;

-- Starts to keep the statuses of a table of documents that is our own.
CREATE FUNCTION quarterdeck.keep_statuses() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- The rule: what document_status holds for each document. A row that says `syncing` is stuck two hours after its
    -- attempt.
    CREATE VIEW quarterdeck.status_facts AS
        SELECT d.id AS document_id, d.account_id, d.assistant_id,
            CAST(CASE WHEN l.lock_holder IS NOT NULL THEN 2 WHEN l.state = 'running' THEN 3 WHEN l.state = 'ready' THEN 4
                WHEN l.state = 'scheduled' AND l.attempt > 0 THEN 2
                WHEN d.sync_status = 0 THEN CASE WHEN d.last_sync_attempted_at IS NULL THEN 1 ELSE 3 END
                WHEN d.sync_status = 2 THEN 0 WHEN d.sync_status = 1 THEN 6 ELSE 7 END AS bigint) AS status,
            CASE WHEN l.lock_holder IS NOT NULL OR l.state IN ('running', 'ready') OR l.attempt > 0 THEN NULL
                WHEN d.sync_status = 0 THEN quarterdeck.micros(d.last_sync_attempted_at) + 7200000000
                WHEN d.sync_status = 1 THEN quarterdeck.micros(d.last_synced_at) + c.cadence END AS status_until,
            quarterdeck.micros(d.last_sync_attempted_at) AS attempted_at,
            quarterdeck.micros(d.last_synced_at) AS synced_at,
            CASE WHEN l.state = 'scheduled' THEN l.run_at END AS next_at
        FROM captain_documents d
        LEFT JOIN quarterdeck.jobs l ON l.document_id = d.id AND l.state IN ('scheduled', 'ready', 'running')
        LEFT JOIN quarterdeck.accounts_sched c ON c.account_id = d.account_id;

    INSERT INTO quarterdeck.document_status SELECT * FROM quarterdeck.status_facts;
    INSERT INTO quarterdeck.document_counts
        SELECT account_id, status, count(*) FROM quarterdeck.document_status GROUP BY account_id, status;
    INSERT INTO quarterdeck.host_counts SELECT s.host, count(*), count(CASE WHEN d.sync_status = 2 THEN 1 END)
        FROM quarterdeck.document_state s LEFT JOIN captain_documents d ON d.id = s.document_id GROUP BY s.host;

    CREATE INDEX status_order ON quarterdeck.document_status (status, document_id);
    CREATE INDEX status_until ON quarterdeck.document_status (status_until, status, account_id)
        WHERE status_until IS NOT NULL;
    CREATE INDEX status_attempted ON quarterdeck.document_status (attempted_at, document_id);
    CREATE INDEX status_synced ON quarterdeck.document_status (synced_at, document_id);
    CREATE INDEX status_next ON quarterdeck.document_status (next_at, document_id) WHERE next_at IS NOT NULL;
    CREATE INDEX status_account ON quarterdeck.document_status (account_id, status);
    CREATE INDEX state_error ON quarterdeck.document_state
        (error_code COLLATE "C", (coalesce(quarterdeck.leading(detail), '')) COLLATE "C", document_id)
        WHERE error_code IS NOT NULL;
    CREATE INDEX captain_documents_url ON captain_documents ((quarterdeck.leading(external_link)) COLLATE "C", id);

    CREATE TRIGGER quarterdeck_added AFTER INSERT ON captain_documents REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.documents_added();
    CREATE TRIGGER quarterdeck_changed AFTER UPDATE ON captain_documents
        REFERENCING OLD TABLE AS removed NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.documents_changed();
    CREATE TRIGGER quarterdeck_removed AFTER DELETE ON captain_documents REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.documents_removed();
    CREATE TRIGGER jobs_added AFTER INSERT ON quarterdeck.jobs REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.jobs_added();
    CREATE TRIGGER jobs_changed AFTER UPDATE ON quarterdeck.jobs REFERENCING OLD TABLE AS removed NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.jobs_changed();
    CREATE TRIGGER jobs_removed AFTER DELETE ON quarterdeck.jobs REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.jobs_removed();
    CREATE TRIGGER plan_added AFTER INSERT ON quarterdeck.accounts_sched FOR EACH ROW
        WHEN (NEW.cadence IS NOT NULL) EXECUTE FUNCTION quarterdeck.plan_changed();
    CREATE TRIGGER plan_changed AFTER UPDATE OF cadence ON quarterdeck.accounts_sched FOR EACH ROW
        WHEN (OLD.cadence IS DISTINCT FROM NEW.cadence) EXECUTE FUNCTION quarterdeck.plan_changed();
    CREATE TRIGGER plan_removed AFTER DELETE ON quarterdeck.accounts_sched FOR EACH ROW
        WHEN (OLD.cadence IS NOT NULL) EXECUTE FUNCTION quarterdeck.plan_changed();
    CREATE TRIGGER statuses_added AFTER INSERT ON quarterdeck.document_status REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.statuses_added();
    CREATE TRIGGER statuses_changed AFTER UPDATE ON quarterdeck.document_status
        REFERENCING OLD TABLE AS removed NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.statuses_changed();
    CREATE TRIGGER statuses_removed AFTER DELETE ON quarterdeck.document_status REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.statuses_removed();
    CREATE TRIGGER states_added AFTER INSERT ON quarterdeck.document_state REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.states_added();
    CREATE TRIGGER states_removed AFTER DELETE ON quarterdeck.document_state REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.states_removed();
    CREATE TRIGGER state_moved AFTER UPDATE OF document_id, host ON quarterdeck.document_state FOR EACH ROW
        WHEN ((OLD.document_id, OLD.host) IS DISTINCT FROM (NEW.document_id, NEW.host))
        EXECUTE FUNCTION quarterdeck.state_moved();
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM quarterdeck.made WHERE name = 'captain_documents') THEN
        PERFORM quarterdeck.keep_statuses();
    END IF;
END $$;
