-- One line for each site rule whose credentials a worker lacks, for people: it claims no document of these sites. Without
-- any value; the lines name the host and the variable or file.
ALTER TABLE workers ADD COLUMN unfetchable TEXT;

-- Hosts that offered Markdown for their pages, or failed when it was requested; a host that ignores the request has no row.
-- `verdict` is 'open' until three pages were compared with their HTML, then 'markdown' or 'html'.
CREATE TABLE host_markdown (
    host TEXT PRIMARY KEY,
    verdict TEXT NOT NULL,
    compared BIGINT NOT NULL,
    compared_at BIGINT NOT NULL,
    -- Since when `verdict` has this value. Texts that were fetched whole before that were fetched by another verdict.
    decided_at BIGINT NOT NULL
) WITHOUT ROWID;
