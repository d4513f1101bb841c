-- The time until which automatic syncs of the account wait, by the window of its plan. A pass of the schedule writes it when
-- the window closes; it needs no one to open it.
ALTER TABLE quarterdeck.accounts_sched ADD COLUMN opens_at bigint;
