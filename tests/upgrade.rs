//! Tests stores made by other versions: migrated, copied before, refused when they cannot be used; and processes whose
//! store is migrated while they run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod checks;
mod copies;
pub mod filled;
mod fixtures;
#[cfg(feature = "faults")]
mod kills;
mod outdated;
mod waiting;

use crate::store::support::Backend;
use crate::support::install::Install;
use crate::support::place::Place;
use crate::support::postgres;
use crate::support::site::{Site, html};
use quarterdeck::store::{MigrationStep, SCHEMA_VERSION};

/// Schema version of the fixtures.
const BEFORE: i64 = 8;
const FILE: &[u8] = include_bytes!("fixtures/store-v8.db");
const DUMP: &str = include_str!("fixtures/store-v8.sql");

/// Makes a database from the fixture of the earlier version.
async fn fixture(on: Backend) -> Place {
    match on {
        Backend::Sqlite => {
            let place = Place::new(on).await;
            std::fs::write(place.file(), FILE).unwrap();
            place
        }
        Backend::Postgres => {
            let database = postgres::empty().await;
            database.script(DUMP).await;
            Place::on(database)
        }
    }
}

/// Makes an installation whose store is the fixture.
async fn install() -> Install {
    let install = Install::new(Site::start(|_, _| html("A page", "Some text.")).await, "");
    std::fs::write(install.file(), FILE).unwrap();
    install
}

/// Returns the store's schema version.
async fn version(place: &Place) -> i64 {
    let sql = place.either("SELECT user_version FROM pragma_user_version", "SELECT max(version) FROM migrations");
    place.number(sql).await.unwrap()
}

/// Sets the store's schema version.
async fn set_version(place: &Place, version: i64) {
    let sqlite = format!("PRAGMA user_version = {version}");
    let postgres = format!(
        "DELETE FROM quarterdeck.migrations WHERE version > {version}; \
         INSERT INTO quarterdeck.migrations (version) VALUES ({version}) ON CONFLICT DO NOTHING"
    );
    place.sql(place.either(&sqlite, &postgres)).await;
}

/// Returns the migration steps from the fixtures' version to this program's.
fn steps() -> Vec<MigrationStep> {
    (BEFORE + 1..=SCHEMA_VERSION).map(MigrationStep::Version).collect()
}
