-- Samples: what happened in one minute of the store, and how long its queue was after it. Kept for a week.
CREATE TABLE samples (
    -- Start of the minute, UTC. A minute without a row was not sampled.
    minute INTEGER PRIMARY KEY,
    -- The outcomes after this one are of later minutes.
    last_seq INTEGER NOT NULL,
    -- Outcomes by result. `gave_up` are the jobs whose last attempt failed, which is counted among the failures, too.
    updated INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    permanent_failures INTEGER NOT NULL,
    transient_failures INTEGER NOT NULL,
    unexpected_failures INTEGER NOT NULL,
    workers_lost INTEGER NOT NULL,
    gave_up INTEGER NOT NULL,
    -- Number of attempts by duration, as a JSON array with one number for each bucket.
    durations TEXT NOT NULL,
    -- The queue at the time of the sample; the wait of the oldest ready job is in milliseconds, NULL without one.
    ready INTEGER NOT NULL,
    running INTEGER NOT NULL,
    oldest_ready INTEGER,
    disk_bytes INTEGER NOT NULL
);
