-- The template of each host: the blocks of text that stand on many of its pages. `template` is what a worker needs to use
-- it, `sample` the blocks of the documents from which it is learned, both as one line of text. `version` is 0 until a
-- block recurs, and grows when the blocks that are left out of texts change.
CREATE TABLE host_templates (
    host TEXT PRIMARY KEY,
    version INTEGER NOT NULL DEFAULT 0,
    pages INTEGER NOT NULL DEFAULT 0,
    blocks INTEGER NOT NULL DEFAULT 0,
    template TEXT NOT NULL DEFAULT '',
    sample TEXT NOT NULL DEFAULT '',
    updated_at INTEGER NOT NULL
) STRICT;
-- The version of the host's template with which the stored text was made. Like the validators it counts only for the text
-- that `validated` names.
ALTER TABLE document_state ADD COLUMN template_version INTEGER;
