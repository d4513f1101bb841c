//! The statements that write a transition's changes of rows, many rows at a time. Documents come before jobs: while a
//! job is live its state is the document's status, so the stored status changes once.
//!
//! PostgreSQL runs all of them as parts of one statement, which see the rows as they were before it. So no kind may
//! change a row that another kind changes, or read what another kind writes.

use crate::store::sql::batch::RowChange;

/// Deletes the oldest versions of a document, so that with the one that [`VERSIONS`] adds, the text stored now, `kept`
/// are left.
pub(super) const OLD_VERSIONS: RowChange = RowChange {
    position: 0,
    table: "document_versions",
    statement: "DELETE FROM @document_versions WHERE ?2 IS NOT NULL \
         AND document_id IN (SELECT CAST(k.value ->> 'id' AS BIGINT) FROM elements(?1) k) AND version <= \
         (SELECT s.content_version - CAST(k.value ->> 'kept' AS BIGINT) FROM elements(?1) k \
         JOIN @document_state s ON s.document_id = CAST(k.value ->> 'id' AS BIGINT) \
         WHERE s.document_id = document_versions.document_id)",
};

/// Keeps the stored text of a document as a version. Comes before the text is replaced.
pub(super) const VERSIONS: RowChange = RowChange {
    position: 1,
    table: "document_versions",
    statement: "INSERT INTO @document_versions (document_id, version, replaced_at, fingerprint, content_length, content) \
         SELECT d.id, s.content_version, ?2, k.value ->> 'fingerprint', length(d.content), d.content \
         FROM elements(?1) k JOIN captain_documents d ON d.id = CAST(k.value ->> 'id' AS BIGINT) \
         JOIN @document_state s ON s.document_id = d.id WHERE d.content IS NOT NULL",
};

/// A change of a document's row: `synced`; `failed`; `back`, which repairs a row that still is `syncing`; `restore`,
/// which gives such a row its earlier values. What another program has written since stays in the last two cases.
pub(super) const DOCUMENTS: RowChange = RowChange {
    position: 2,
    table: "captain_documents",
    statement: "UPDATE captain_documents SET sync_status = CAST(k.value ->> 'sync_status' AS INTEGER), \
         last_synced_at = CASE WHEN k.value ->> 'kind' = 'synced' THEN stamp(?2) ELSE last_synced_at END, \
         last_sync_attempted_at = CASE WHEN k.value ->> 'kind' IN ('synced', 'failed') THEN stamp(?2) \
         WHEN k.value ->> 'kind' = 'restore' THEN stamp(CAST(k.value ->> 'attempted_at' AS BIGINT)) \
         ELSE last_sync_attempted_at END, \
         metadata = merged('key:sync_step', NULL, 'key:last_sync_error_code', k.value ->> 'code') \
         FROM elements(?1) k WHERE captain_documents.id = CAST(k.value ->> 'id' AS BIGINT) \
         AND (k.value ->> 'kind' IN ('synced', 'failed') OR captain_documents.sync_status = 0)",
};

/// A synced document with its new text, and with a new name if the page has a title. Apart from [`DOCUMENTS`], since a
/// trigger of another program on the text must not stand in the way of other changes.
pub(in crate::store) const SYNCED_TEXTS: RowChange = RowChange {
    position: 2,
    table: "captain_documents",
    statement: "UPDATE captain_documents SET sync_status = CAST(k.value ->> 'sync_status' AS INTEGER), \
         last_synced_at = stamp(?2), last_sync_attempted_at = stamp(?2), content = k.value ->> 'content', \
         name = coalesce(k.value ->> 'name', name), updated_at = stamp(?2), metadata = merged('key:sync_step', NULL, \
         'key:last_sync_error_code', NULL, 'key:content_fingerprint', k.value ->> 'fingerprint') \
         FROM elements(?1) k WHERE captain_documents.id = CAST(k.value ->> 'id' AS BIGINT)",
};

/// A new text of a document that no sync brought, and the name that comes with it.
pub(in crate::store) const TEXTS: RowChange = RowChange {
    position: 2,
    table: "captain_documents",
    statement: "UPDATE captain_documents SET content = k.value ->> 'content', name = coalesce(k.value ->> 'name', name), \
         updated_at = stamp(?2), metadata = merged('key:content_fingerprint', k.value ->> 'fingerprint') \
         FROM elements(?1) k WHERE captain_documents.id = CAST(k.value ->> 'id' AS BIGINT)",
};

/// A change of our own state of a document. A failure and a success set the last failure; a fetched page sets
/// validators, and a converted one also what its text came from. A change with a length counts a new stored text, and
/// notes its length in characters.
pub(super) const STATES: RowChange = RowChange {
    position: 3,
    table: "document_state",
    statement: "UPDATE @document_state SET recent = k.value ->> 'recent', \
         failures = CASE k.value ->> 'failures' WHEN 'more' THEN failures + 1 WHEN 'none' THEN 0 ELSE failures END, \
         fence = CASE WHEN fence < CAST(k.value ->> 'fence' AS BIGINT) THEN CAST(k.value ->> 'fence' AS BIGINT) \
         ELSE fence END, \
         error_code = CASE k.value ->> 'ended' WHEN 'yes' THEN k.value ->> 'error_code' ELSE error_code END, \
         detail = CASE k.value ->> 'ended' WHEN 'yes' THEN k.value ->> 'detail' ELSE detail END, \
         http_status = CASE k.value ->> 'ended' WHEN 'yes' THEN CAST(k.value ->> 'http_status' AS BIGINT) \
         ELSE http_status END, \
         failed_since = CASE WHEN k.value ->> 'ended' IS NULL THEN failed_since WHEN k.value ->> 'cause' IS NULL \
         THEN NULL WHEN failure_cluster = CAST(k.value ->> 'cause' AS BIGINT) THEN coalesce(failed_since, ?2) \
         ELSE ?2 END, \
         failed_at = CASE WHEN k.value ->> 'ended' IS NULL THEN failed_at WHEN k.value ->> 'cause' IS NOT NULL \
         THEN ?2 END, \
         failure_cluster = CASE k.value ->> 'ended' WHEN 'yes' THEN CAST(k.value ->> 'cause' AS BIGINT) \
         ELSE failure_cluster END, \
         etag = CASE WHEN k.value ->> 'page' IS NULL THEN etag ELSE k.value ->> 'etag' END, \
         last_modified = CASE WHEN k.value ->> 'page' IS NULL THEN last_modified ELSE k.value ->> 'last_modified' END, \
         fetched_whole_at = CASE WHEN k.value ->> 'page' IS NULL THEN fetched_whole_at ELSE ?2 END, \
         validated = CASE k.value ->> 'page' WHEN 'converted' THEN k.value ->> 'validated' ELSE validated END, \
         converter = CASE k.value ->> 'page' WHEN 'converted' THEN CAST(k.value ->> 'converter' AS BIGINT) \
         ELSE converter END, \
         template_version = CASE k.value ->> 'page' WHEN 'converted' \
         THEN CAST(k.value ->> 'template' AS BIGINT) ELSE template_version END, \
         text_at = CASE WHEN k.value ->> 'text_changed' = 'yes' THEN ?2 \
         WHEN k.value ->> 'page' = 'converted' AND k.value ->> 'length' IS NULL \
         AND k.value ->> 'validated' IS DISTINCT FROM validated THEN NULL ELSE text_at END, \
         body_digest = CASE k.value ->> 'page' WHEN 'converted' THEN k.value ->> 'body_digest' ELSE body_digest END, \
         main_digest = CASE k.value ->> 'page' WHEN 'converted' THEN k.value ->> 'main_digest' ELSE main_digest END, \
         generation = coalesce(CAST(k.value ->> 'generation' AS BIGINT), generation), \
         generation_seen_at = CASE WHEN k.value ->> 'generation' IS NULL THEN generation_seen_at \
         ELSE CAST(k.value ->> 'generation_seen_at' AS BIGINT) END, \
         last_content = coalesce(k.value ->> 'content', last_content), \
         content_version = content_version + CASE WHEN k.value ->> 'length' IS NULL THEN 0 ELSE 1 END, \
         content_length = coalesce(CAST(k.value ->> 'length' AS BIGINT), content_length) \
         FROM elements(?1) k WHERE document_id = CAST(k.value ->> 'id' AS BIGINT)",
};

/// A change of a job's row. Its lease ends, and with the job's end its cancel request and its wait for a lock.
pub(super) const JOBS: RowChange = RowChange {
    position: 4,
    table: "jobs",
    statement: "UPDATE @jobs SET state = k.value ->> 'state', class = CAST(k.value ->> 'class' AS BIGINT), \
         run_at = CAST(k.value ->> 'run_at' AS BIGINT), vtime = CAST(k.value ->> 'vtime' AS BIGINT), \
         attempt = CAST(k.value ->> 'attempt' AS BIGINT), \
         transient_fails = CAST(k.value ->> 'transient' AS BIGINT), \
         unexpected_fails = CAST(k.value ->> 'unexpected' AS BIGINT), \
         crashes = CAST(k.value ->> 'crashes' AS BIGINT), last_failure = k.value ->> 'last_failure', \
         before_taken = before_taken AND NOT CAST(k.value ->> 'forget_before' AS BIGINT) = 1, \
         finished_at = CASE CAST(k.value ->> 'ended' AS BIGINT) WHEN 1 THEN ?2 END, \
         worker_id = NULL, worker_name = NULL, lease_token = NULL, lease_until = NULL, \
         try_class = coalesce(CAST(k.value ->> 'try_class' AS BIGINT), try_class), \
         try_number = coalesce(CAST(k.value ->> 'try_number' AS BIGINT), try_number), \
         try_of = coalesce(CAST(k.value ->> 'try_of' AS BIGINT), try_of), \
         cancel_requested_by = CASE CAST(k.value ->> 'ended' AS BIGINT) WHEN 1 THEN cancel_requested_by END, \
         cancel_requested_at = CASE CAST(k.value ->> 'ended' AS BIGINT) WHEN 1 THEN cancel_requested_at END, \
         lock_holder = CASE CAST(k.value ->> 'ended' AS BIGINT) WHEN 0 \
         THEN coalesce(k.value ->> 'lock_holder', lock_holder) END, \
         lock_value = coalesce(k.value ->> 'lock_value', lock_value) \
         FROM elements(?1) k WHERE jobs.id = CAST(k.value ->> 'id' AS BIGINT)",
};
