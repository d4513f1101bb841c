//! Seeded mutation of the rules of `fetch.sites`, like that of pages in `fetch`; for a longer run:
//! `QUARTERDECK_FUZZ_SECONDS=600 cargo test --release --lib fuzz::sites`.

use super::sites;
use crate::domain::credential::{Credential, SecretSource};
use crate::fetch::fuzz::run;
use toml::de::DeTable;

/// Value that stands in place of the source of a secret.
const SECRET: &str = "hunter2-of-the-rule";

fn seeds() -> Vec<Vec<u8>> {
    [
        "sites = [{ host = \"a.test\", headers = { X-Key = { env = \"KEY\" } }, cookies = { s = { file = \"/k\" } } }]\n",
        "sites = [{ document = 7, basic = { user = \"ana\", password = { env = \"P\" } }, ignore = [\"a+\"] }]\n",
        "sites = [{ host = \"b.test:81\", bearer = { file = \"t\" }, markdown = \"never\", include = [\"main\"] }]\n",
        "sites = [{ host = \"c.test\", bearer = \"hunter2-of-the-rule\" }]\n",
        "sites = [{ host = \"c.test\", headers = { Authorization = \"hunter2-of-the-rule\" } }]\n",
        "sites = [{ host = \"c.test\", basic = { user = \"a\", password = \"hunter2-of-the-rule\" } }]\n",
        "sites = [{ host = \"c.test\", cookies = { s = { env = \"A\", value = \"hunter2-of-the-rule\" } } }]\n",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}

#[test]
fn sites() {
    run("sites", 2_000, &seeds(), |bytes, _| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Ok(table) = DeTable::parse(text) else { return };
        let Some(value) = table.get_ref().get("sites") else { return };
        match sites::read(value.get_ref()) {
            Ok(rules) => {
                let sources = rules.0.iter().flat_map(|rule| &rule.credentials).map(Credential::source);
                for source in sources {
                    let is_named = match source {
                        SecretSource::Env(name) => !name.trim().is_empty() && !name.contains(['=', '\0']),
                        SecretSource::File(path) => !path.as_os_str().is_empty(),
                    };
                    assert!(is_named, "{source:?}");
                }
            }
            Err(message) => {
                // Names and words of other settings are shown; a mutation may have made one of the value.
                let is_secret = ["(basic)", "(bearer)"].iter().any(|key| message.starts_with(key));
                assert!(!is_secret || !message.contains(SECRET), "a value is no part of a message");
            }
        }
    });
}
