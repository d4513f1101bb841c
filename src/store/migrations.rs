//! The migrations of a store: embedded files, one per database and version. Their checksums detect a store that another
//! build has migrated with different files.

use sha2::{Digest, Sha256};

/// The migration that leads to one version of the schema.
#[derive(Debug)]
pub(super) struct MigrationFile {
    /// One-line description of the change, for display.
    pub(super) title: &'static str,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

macro_rules! migration {
    ($file:literal, $title:literal) => {
        MigrationFile {
            title: $title,
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/migrations/sqlite/", $file)),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/migrations/postgres/", $file)),
        }
    };
}

/// All migrations, oldest first. A released file never changes, because stores keep its checksum.
pub(super) const MIGRATIONS: [MigrationFile; 32] = [
    migration!("0001_store.sql", "the tables of jobs, outcomes, workers and the rest"),
    migration!("0002_locks.sql", "the store's own id, and who has the lock that a job waits for"),
    migration!("0003_outbox.sql", "messages for Chatwoot's own jobs"),
    migration!("0004_schedule.sql", "plans of accounts, and the lease of the schedule's passes"),
    migration!("0005_pauses.sql", "what is paused, by whom and since when"),
    migration!("0006_hosts.sql", "back-off of hosts"),
    migration!("0007_contents.sql", "quarantined texts that wait for review"),
    migration!("0008_holds.sql", "the kind of a host's back-off: requested by the host, or cool-down"),
    migration!("0009_upgrades.sql", "checksums of migrations, and the version of each worker's program"),
    migration!("0010_outbox.sql", "messages of the outbox for any subscriber, with their attempts"),
    migration!("0011_status.sql", "the status of each document and counts of documents, kept for lists"),
    migration!("0012_body.sql", "digest of the body that a document's text came from"),
    migration!("0013_commit_counts.sql", "counters of commits, by which other processes see what was changed"),
    migration!("0014_words.sql", "an index for words in filters, on PostgreSQL"),
    migration!(
        "0015_guests.sql",
        "the status of Chatwoot's documents and counts of them, kept for lists in tables of ours"
    ),
    migration!("0016_sites.sql", "the credentials that a worker lacks, and hosts that offer Markdown"),
    migration!("0017_templates.sql", "blocks that stand on many pages of a host"),
    migration!("0018_losses.sql", "jobs run alone from the second loss of their worker on"),
    migration!("0019_uptimes.sql", "heartbeats that can be told whatever the clocks say"),
    migration!("0020_kinds.sql", "hosts and kinds of documents of Chatwoot that were never synced"),
    migration!("0021_chatwoot_texts.sql", "the main content of pages whose text is Chatwoot's own"),
    migration!("0022_faqs.sql", "FAQs of documents of Chatwoot, and the FAQ jobs that were asked for"),
    migration!("0023_changes.sql", "numbers of changes of texts, and the epoch of the store's history"),
    migration!("0024_stages.sql", "how long each stage of an attempt took"),
    migration!("0025_retention.sql", "what was removed because it is old, and which outcomes messages are about"),
    migration!("0026_failures.sql", "the causes of failed documents"),
    migration!("0027_sinks.sql", "webhooks and commands that are notified of outcomes and conditions"),
    migration!("0028_windows.sql", "the windows of plans, in which automatic syncs run"),
    migration!("0029_sources.sql", "sources, in which pages are discovered, and what they propose"),
    migration!("0030_calendars.sql", "the times of plans, from which the next time of a document is computed"),
    migration!("0031_batches.sql", "acts on many documents, which can be undone, paused, resumed and stopped"),
    migration!("0032_samples.sql", "a sample of each minute for the dashboard, kept for a week"),
];

/// The schema version of this program: the number of migrations. The same on both databases.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// The first schema version that stores the checksum of each migration and the schema version of each worker.
pub(super) const FIRST_VERSION_WITH_CHECKSUMS: i64 = 9;

/// Returns the migrations that a store at version `done` still needs, each with the version that it leads to.
pub(super) fn pending(done: i64) -> impl Iterator<Item = (i64, &'static MigrationFile)> {
    (1..).zip(&MIGRATIONS).filter(move |(version, _)| *version > done)
}

/// Returns the SHA-256 of a migration's text, in lower-case hexadecimal digits.
pub(super) fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the version of the first applied migration (version and checksum) whose text differs from this program's.
/// Skips migrations that were applied before the store kept checksums, and versions that only a newer program has.
/// `file` selects the text for the database in question.
pub(super) fn first_altered(
    applied: impl IntoIterator<Item = (i64, Option<String>)>,
    file: impl Fn(&MigrationFile) -> &'static str,
) -> Option<i64> {
    applied.into_iter().find_map(|(version, kept)| {
        let migration = usize::try_from(version - 1).ok().and_then(|index| MIGRATIONS.get(index))?;
        kept.is_some_and(|kept| kept != checksum(file(migration))).then_some(version)
    })
}

/// Returns the error message for a store whose migration `version` differs from this program's.
pub(super) fn altered_message(version: i64) -> String {
    format!(
        "migration {version} of this store differs from this quarterdeck's: another build made it, and its tables may \
         differ; use that build (its checksums are in the table migrations), or an older copy of the store"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Released files stay the same, byte for byte: otherwise this program would refuse the stores that they have
    /// migrated.
    #[test]
    fn released_migrations_are_not_changed() {
        let released = [
            ("24af287582d2f748", "571c7f3d137a5f47"),
            ("52b13d03de297da6", "a7baf962cc4c3b97"),
            ("aed6a7a4bc3fd5e3", "83102f3dc8cd82b2"),
            ("5a46b1b2496aef16", "4efa3e18eb680c46"),
            ("5e0eba3cbe4e3711", "9009dbc80ee11832"),
            ("b6790cc4638b8f61", "e58bfe3f07f9c70e"),
            ("effc936f6e39a1de", "2b72bd43042b7e2c"),
            ("724a7e0656126949", "df0634a4202a6caa"),
        ];
        for ((version, file), (sqlite, postgres)) in (1..).zip(&MIGRATIONS).zip(released) {
            assert_eq!((&checksum(file.sqlite)[..16], &checksum(file.postgres)[..16]), (sqlite, postgres), "{version}");
        }
    }

    #[test]
    fn a_migration_that_differs_is_found_and_one_without_a_checksum_is_not() {
        let own = |version: usize| (version as i64, Some(checksum(MIGRATIONS[version - 1].sqlite)));
        let of = |applied: Vec<(i64, Option<String>)>| first_altered(applied, |file| file.sqlite);
        assert_eq!(of(vec![own(1), (2, None), own(3), (SCHEMA_VERSION + 1, Some("f0".into()))]), None);
        assert_eq!(of(vec![own(1), (2, Some("f0".into())), own(3)]), Some(2));
        assert_eq!(first_altered([own(1)], |file| file.postgres), Some(1), "each database has its own files");
    }
}
