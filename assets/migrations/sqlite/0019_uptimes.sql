-- What shows that a worker is alive whatever the clocks of the machines say. All of it is empty, or 0, for a worker that
-- has not registered since this version.
-- The machine it runs on, that machine's boot, and the time since the boot at the last heartbeat, in microseconds.
ALTER TABLE workers ADD COLUMN machine TEXT;
ALTER TABLE workers ADD COLUMN boot_id TEXT;
ALTER TABLE workers ADD COLUMN uptime INTEGER;
-- Number of heartbeats, and the lease that the last one requested, in microseconds.
ALTER TABLE workers ADD COLUMN heartbeats INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workers ADD COLUMN lease INTEGER;
