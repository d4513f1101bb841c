//! Front matter of an exported file: facts about the text, in YAML.

use crate::domain::id::DocumentId;
use crate::domain::text_change::TextHead;
use crate::domain::time::Timestamp;
use std::fmt::Write as _;

/// Start of every front matter, before the document's id.
const START: &str = "---\ndocument_id: ";

/// Length in bytes within which [`document_of`] finds the id.
pub const ID_WITHIN: usize = START.len() + 20;

/// Returns the document whose front matter a file begins with; `None` if that is no front matter of this program.
pub fn document_of(file: &str) -> Option<DocumentId> {
    let (id, _) = file.strip_prefix(START)?.split_once('\n')?;
    id.parse().ok().map(DocumentId)
}

/// Returns the front matter of a text, with the lines that begin and end it. Whatever the page has sent is quoted.
pub fn front_matter(head: &TextHead) -> String {
    let owner = &head.owner;
    let time = |at: Option<Timestamp>| at.map_or("null".to_owned(), |at| quoted(&at.rfc3339()));
    let mut yaml = String::new();
    let fingerprint = head.fingerprint.as_ref().map_or("null".to_owned(), |fingerprint| quoted(fingerprint));
    // Writing to a text never fails.
    let _ = write!(
        yaml,
        "{START}{}\ntitle: {}\nurl: {}\naccount_id: {}\nassistant_id: {}\nversion: {}\nfingerprint: {}\n\
         added_at: {}\nchanged_at: {}\n---\n\n",
        owner.document_id,
        quoted(&owner.name),
        quoted(&owner.url),
        owner.account_id,
        owner.assistant_id,
        head.version,
        fingerprint,
        time(head.added_at),
        time(head.changed_at),
    );
    yaml
}

/// Returns a double-quoted scalar of YAML: a string of JSON, in which the few characters are escaped that JSON allows and
/// YAML takes for a line break or does not print.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{AccountId, AssistantId};
    use crate::domain::text_change::TextOwner;

    #[test]
    fn what_a_page_has_sent_stays_within_its_quotes() {
        let owner = TextOwner {
            document_id: DocumentId(7),
            account_id: AccountId(2),
            assistant_id: AssistantId(3),
            name: "\"}\n---\nevil: yes \\ # ".into(),
            url: "https://a.test/: {".into(),
        };
        let head = TextHead {
            owner,
            version: 4,
            fingerprint: Some("ab".into()),
            chars: None,
            first: None,
            added_at: Some(Timestamp::from_micros(1_764_054_151_000_000)),
            changed_at: None,
        };
        let yaml = front_matter(&head);
        assert_eq!(
            yaml,
            "---\ndocument_id: 7\ntitle: \"\\\"} --- evil: yes \\\\ #\"\nurl: \"https://a.test/: {\"\naccount_id: 2\n\
             assistant_id: 3\nversion: 4\nfingerprint: \"ab\"\nadded_at: \"2025-11-25T07:02:31.000000Z\"\n\
             changed_at: null\n---\n\n"
        );
        assert_eq!(quoted("a\u{2028}b\u{85}\u{feff}"), "\"a\\u2028b\\u0085\\ufeff\"");
        assert_eq!(document_of(&yaml[..ID_WITHIN]), Some(DocumentId(7)));
        assert_eq!((document_of("# Notes"), document_of("---\ndocument_id: 7")), (None, None));
        assert_eq!(yaml.matches("---").count(), 3, "the one in the title is within its line");
    }
}
