-- The columns, integers and metadata keys of Chatwoot's table. `content` stands last: SQLite reads what stands before
-- a long value without touching its overflow pages.
CREATE TABLE IF NOT EXISTS captain_documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT,
    external_link TEXT NOT NULL,
    assistant_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    status INTEGER NOT NULL DEFAULT 0,
    sync_status INTEGER,
    last_synced_at INTEGER,
    last_sync_attempted_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    metadata TEXT DEFAULT '{}',
    content TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS documents_link ON captain_documents (assistant_id, external_link);
-- Words are looked for, and lists sorted by name, in this narrow copy.
CREATE INDEX IF NOT EXISTS documents_url ON captain_documents (external_link, name);
CREATE INDEX IF NOT EXISTS documents_account ON captain_documents (account_id, assistant_id, sync_status, last_synced_at);
-- All that a status needs: counts and the default order never read the table itself.
CREATE INDEX IF NOT EXISTS documents_status ON captain_documents (sync_status, last_sync_attempted_at, last_synced_at);

CREATE TABLE IF NOT EXISTS document_state (
    document_id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0,
    content_version INTEGER NOT NULL DEFAULT 0,
    content_length INTEGER,
    etag TEXT,
    last_modified TEXT,
    -- The live job, else the last one.
    job_id INTEGER,
    -- The last failure, kept until a success.
    error_code TEXT,
    detail TEXT,
    http_status INTEGER,
    recent TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS state_host ON document_state (host);

CREATE TABLE IF NOT EXISTS document_versions (
    document_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    replaced_at INTEGER NOT NULL,
    fingerprint TEXT,
    content_length INTEGER NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (document_id, version)
);

CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    assistant_id INTEGER NOT NULL,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    class INTEGER NOT NULL CHECK (class IN (0, 1, 2)),
    state TEXT NOT NULL
        CHECK (state IN ('scheduled', 'ready', 'running', 'done', 'failed', 'cancelled', 'purged')),
    run_at INTEGER NOT NULL,
    -- Set while ready: the place in the fair order.
    vtime INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    transient_fails INTEGER NOT NULL DEFAULT 0,
    unexpected_fails INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    worker_id TEXT,
    worker_name TEXT,
    lease_token INTEGER,
    lease_until INTEGER,
    -- The last try's start.
    started_at INTEGER,
    -- The row before the first try.
    before_taken INTEGER NOT NULL DEFAULT 0,
    before_sync_status INTEGER,
    before_error_code TEXT,
    before_attempted_at INTEGER,
    last_failure TEXT,
    try_class INTEGER,
    try_number INTEGER,
    try_of INTEGER,
    cancel_requested_at INTEGER,
    cancel_requested_by TEXT,
    -- The attempt for which a request was recorded as already_syncing.
    recorded_attempt INTEGER,
    requested_at INTEGER NOT NULL,
    requested_by TEXT,
    finished_at INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS jobs_live ON jobs (document_id) WHERE state IN ('scheduled', 'ready', 'running');
CREATE INDEX IF NOT EXISTS jobs_document ON jobs (document_id);
CREATE INDEX IF NOT EXISTS jobs_lane ON jobs (account_id, host, class, (crashes > 0), vtime, id) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS jobs_account ON jobs (account_id, class, vtime) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS jobs_ready ON jobs (run_at) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (run_at) WHERE state = 'scheduled';
CREATE INDEX IF NOT EXISTS jobs_running ON jobs (account_id, host) WHERE state = 'running';

-- One row per account, host, class and risk that has ready jobs; `head` is the virtual time of its first one.
CREATE TABLE IF NOT EXISTS lanes (
    account_id INTEGER NOT NULL,
    host TEXT NOT NULL,
    class INTEGER NOT NULL,
    -- Jobs with a lost worker behind them: one at a time per worker.
    risky INTEGER NOT NULL,
    head INTEGER NOT NULL,
    PRIMARY KEY (account_id, host, class, risky)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lanes_order ON lanes (class, head, account_id, host);

CREATE TABLE IF NOT EXISTS accounts_sched (
    account_id INTEGER PRIMARY KEY,
    weight INTEGER NOT NULL DEFAULT 1 CHECK (weight > 0),
    paused_at INTEGER
);

-- The fence, the virtual time of each class, and how many claims in a row passed over the lowest class.
CREATE TABLE IF NOT EXISTS sched_clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    fence INTEGER NOT NULL,
    passed_over INTEGER NOT NULL,
    vclock_manual INTEGER NOT NULL,
    vclock_retry INTEGER NOT NULL,
    vclock_auto INTEGER NOT NULL
);
INSERT OR IGNORE INTO sched_clock VALUES (1, 0, 0, 0, 0, 0);

CREATE TABLE IF NOT EXISTS outcomes (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    document_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    assistant_id INTEGER NOT NULL,
    -- The document's name, URL and host then: outcomes outlive documents.
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    job_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    -- The lease that it ended; NULL for what no attempt ended with.
    token INTEGER,
    queue INTEGER NOT NULL,
    result TEXT NOT NULL,
    error_code TEXT,
    exception_class TEXT,
    duration_ms INTEGER,
    http_status INTEGER,
    detail TEXT,
    content TEXT,
    bytes INTEGER,
    next_attempt_at INTEGER,
    worker TEXT,
    requested_by TEXT
);
CREATE INDEX IF NOT EXISTS outcomes_document ON outcomes (document_id, seq);
CREATE INDEX IF NOT EXISTS outcomes_token ON outcomes (job_id, token);

CREATE TABLE IF NOT EXISTS outcome_seq (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL);
INSERT OR IGNORE INTO outcome_seq VALUES (1, 0);

CREATE TABLE IF NOT EXISTS workers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    capacity INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
);
