-- Samples: what happened in one minute of the store, and how long its queue was after it. Kept for a week.
CREATE TABLE quarterdeck.samples (
    -- Start of the minute, UTC. A minute without a row was not sampled.
    minute bigint PRIMARY KEY,
    -- The outcomes after this one are of later minutes.
    last_seq bigint NOT NULL,
    -- Outcomes by result. `gave_up` are the jobs whose last attempt failed, which is counted among the failures, too.
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    permanent_failures bigint NOT NULL,
    transient_failures bigint NOT NULL,
    unexpected_failures bigint NOT NULL,
    workers_lost bigint NOT NULL,
    gave_up bigint NOT NULL,
    -- Number of attempts by duration, as a JSON array with one number for each bucket.
    durations text NOT NULL,
    -- The queue at the time of the sample; the wait of the oldest ready job is in milliseconds, NULL without one.
    ready bigint NOT NULL,
    running bigint NOT NULL,
    oldest_ready bigint,
    disk_bytes bigint NOT NULL
);
