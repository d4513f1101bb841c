-- The template of each host: the blocks of text that stand on many of its pages. `template` is what a worker needs to use
-- it, `sample` the blocks of the documents from which it is learned, both as one line of text. `version` is 0 until a
-- block recurs, and grows when the blocks that are left out of texts change.
CREATE TABLE quarterdeck.host_templates (
    host text PRIMARY KEY,
    version bigint NOT NULL DEFAULT 0,
    pages bigint NOT NULL DEFAULT 0,
    blocks bigint NOT NULL DEFAULT 0,
    template text NOT NULL DEFAULT '',
    sample text NOT NULL DEFAULT '',
    updated_at bigint NOT NULL
);
-- The version of the host's template with which the stored text was made. Like the validators it counts only for the text
-- that `validated` names.
ALTER TABLE quarterdeck.document_state ADD COLUMN template_version bigint;
