//! Cursors: positions in the history of a store from which a consumer of outcomes, changes or exports goes on.

use super::id::{DocumentId, Seq};
use super::lock::StoreId;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Part of a store's history without a jump back in time. Restoring a backup begins a new one, since the outcomes after
/// the backup are then forgotten and their numbers are given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

/// Position in the order of texts: numbered texts come in the order of their outcomes, after those without a number,
/// which come in the order of their documents. The default is the position before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPosition {
    /// Number of the outcome that wrote the text; 0 for a text that no outcome has written, such as one of Chatwoot's.
    pub seq: i64,
    /// Id of the document if the text has no number; 0 otherwise.
    pub document: i64,
}

impl TextPosition {
    /// Returns the position after everything that the outcomes up to `seq` have written.
    pub const fn after(seq: Seq) -> Self {
        Self { seq: seq.0, document: 0 }
    }

    /// Returns the position after the text of `document`, which no outcome has written.
    pub const fn unnumbered(document: DocumentId) -> Self {
        Self { seq: 0, document: document.0 }
    }
}

/// A position in the history of one store, written `STORE-ID:EPOCH:SEQ`: the consumer has everything up to the outcome
/// SEQ. While texts are read that no outcome has written, `.ID` follows, the last document of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub store: StoreId,
    pub epoch: Epoch,
    pub position: TextPosition,
}

/// Error for a text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a cursor has the form STORE-ID:EPOCH:SEQ, as `quarterdeck changes` prints it")]
pub struct CursorError;

/// Longest id of a store in bytes; this program makes UUIDs of 36.
const MAX_STORE_ID: usize = 64;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, epoch, position } = self;
        write!(f, "{store}:{}:{}", epoch.0, position.seq)?;
        if position.document > 0 { write!(f, ".{}", position.document) } else { Ok(()) }
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split(':');
        let (Some(store), Some(epoch), Some(position), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(CursorError);
        };
        let is_id = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if store.is_empty() || store.len() > MAX_STORE_ID || !store.chars().all(is_id) {
            return Err(CursorError);
        }
        let (seq, document) = match position.split_once('.') {
            None => (number(position)?, 0),
            // Only texts without a number are counted by their documents.
            Some((seq, document)) => match (number(seq)?, number(document)?) {
                (0, document) if document > 0 => (0, document),
                _ => return Err(CursorError),
            },
        };
        let position = TextPosition { seq, document };
        Ok(Self { store: StoreId(store.to_owned()), epoch: Epoch(number(epoch)?), position })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads a number as it is printed: digits without a leading zero.
fn number(text: &str) -> Result<i64, CursorError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten().ok_or(CursorError)
}

/// The numbers of the outcomes that a store has, with the names by which its cursors are recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub store: StoreId,
    pub epoch: Epoch,
    /// Number of the last outcome; [`Seq::START`] if there is none.
    pub last: Seq,
    /// Number of the first outcome that is still stored; the next one to come if none is.
    pub first: Seq,
}

/// Reason why a store cannot go on from a cursor. The texts complete a sentence that starts with "this cursor".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CursorRefusal {
    #[error("is of another store")]
    OtherStore,
    #[error("is from before a backup was restored, or from after it")]
    OtherEpoch,
    #[error("is older than the oldest outcome that is still stored")]
    Pruned,
}

impl History {
    /// Returns the cursor of this store for a position.
    pub fn cursor(&self, position: TextPosition) -> Cursor {
        Cursor { store: self.store.clone(), epoch: self.epoch, position }
    }

    /// Checks that everything after `cursor` is still known. The position before everything is always accepted: whoever
    /// has nothing misses nothing.
    pub fn check(&self, cursor: &Cursor) -> Result<(), CursorRefusal> {
        let Cursor { store, epoch, position } = cursor;
        if *store != self.store {
            Err(CursorRefusal::OtherStore)
        } else if *epoch != self.epoch || position.seq > self.last.0 {
            Err(CursorRefusal::OtherEpoch)
        } else if *position != TextPosition::default() && position.seq < self.first.0 - 1 {
            Err(CursorRefusal::Pruned)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cursor(text: &str) -> Result<Cursor, CursorError> {
        text.parse()
    }

    #[test]
    fn only_the_printed_form_is_read() {
        let read = cursor("00b2b865-fb80-462b-8858-aa0e08735422:1764054151:812").expect("a cursor");
        assert_eq!((read.epoch, read.position), (Epoch(1_764_054_151), TextPosition::after(Seq(812))));
        assert_eq!(cursor("a:1:0.7").map(|read| read.position), Ok(TextPosition::unnumbered(DocumentId(7))));
        let wrong = ["", "812", "a:1", ":1:2", "a:1:2:3", "a:1:-2", "a:1:02", "a:x:2", "a b:1:2", "a:1:3.7", "a:1:0.0"];
        for text in wrong.into_iter().chain(["a:1:0.", "a:1:.7", "a:1:99999999999999999999", "a\u{1b}:1:2"]) {
            assert_eq!(cursor(text), Err(CursorError), "{text}");
        }
    }

    #[test]
    fn a_store_refuses_what_it_cannot_go_on_from() {
        let history = History { store: StoreId("a".into()), epoch: Epoch(5), last: Seq(100), first: Seq(41) };
        let check = |text: &str| history.check(&cursor(text).expect("a cursor"));
        for accepted in ["a:5:0", "a:5:40", "a:5:100"] {
            assert_eq!(check(accepted), Ok(()), "{accepted}");
        }
        assert_eq!(check("b:5:50"), Err(CursorRefusal::OtherStore));
        assert_eq!(check("a:4:50"), Err(CursorRefusal::OtherEpoch));
        assert_eq!(check("a:5:101"), Err(CursorRefusal::OtherEpoch), "ahead of the store");
        assert_eq!(check("a:5:39"), Err(CursorRefusal::Pruned));
        assert_eq!(check("a:5:0.3"), Err(CursorRefusal::Pruned));
    }

    proptest! {
        #[test]
        fn a_printed_cursor_is_read_back(
            store in "[0-9a-f]{8}-[0-9a-f]{4}",
            epoch in 0..i64::MAX,
            seq in 0..i64::MAX,
            document in 1..i64::MAX,
            is_numbered: bool,
        ) {
            let position = match is_numbered {
                true => TextPosition::after(Seq(seq)),
                false => TextPosition::unnumbered(DocumentId(document)),
            };
            let made = Cursor { store: StoreId(store), epoch: Epoch(epoch), position };
            prop_assert_eq!(made.to_string().parse(), Ok(made));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            if let Ok(read) = cursor(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn positions_are_ordered_as_texts_are_read(a in 1..i64::MAX, b in 1..i64::MAX) {
            let (numbered, unnumbered) = (TextPosition::after(Seq(a)), TextPosition::unnumbered(DocumentId(b)));
            prop_assert!(TextPosition::default() < unnumbered && unnumbered < numbered);
        }
    }
}
