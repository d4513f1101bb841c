-- What shows that a worker is alive whatever the clocks of the machines say. All of it is empty, or 0, for a worker that
-- has not registered since this version.
-- The machine it runs on, that machine's boot, and the time since the boot at the last heartbeat, in microseconds.
ALTER TABLE quarterdeck.workers ADD COLUMN machine text;
ALTER TABLE quarterdeck.workers ADD COLUMN boot_id text;
ALTER TABLE quarterdeck.workers ADD COLUMN uptime bigint;
-- Number of heartbeats, and the lease that the last one requested, in microseconds.
ALTER TABLE quarterdeck.workers ADD COLUMN heartbeats bigint NOT NULL DEFAULT 0;
ALTER TABLE quarterdeck.workers ADD COLUMN lease bigint;
