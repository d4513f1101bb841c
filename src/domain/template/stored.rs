//! The record of a host's template as one line of text: numbers in base 64, in a fixed width for each field.

use super::Template;
use super::block::{BlockKey, PathKey};
use super::sample::{MOST_KNOWN, MOST_PATHS, MOST_RECURRING, Observation, SAMPLE_SIZE, TemplateRecord};
use crate::domain::id::DocumentId;
use crate::domain::time::Timestamp;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Numbers of digits of a key, a path, and a number.
const KEY: usize = 8;
const PATH: usize = 4;
const NUMBER: usize = 11;
const COUNT: usize = 3;

impl TemplateRecord {
    /// Returns the recurring blocks, paths and known keys, all that a worker needs to use the template.
    pub fn template_text(&self) -> String {
        let mut text = String::new();
        put(&mut text, self.highest_rank(), NUMBER);
        for count in [self.sample.len(), self.recurring.len(), self.paths.len(), self.known.len()] {
            put(&mut text, count as u64, COUNT);
        }
        for (key, count) in &self.recurring {
            put(&mut text, key.0, KEY);
            put(&mut text, u64::from(*count), COUNT);
        }
        self.paths.iter().for_each(|path| put(&mut text, u64::from(path.0), PATH));
        self.known.iter().for_each(|key| put(&mut text, key.0, KEY));
        text
    }

    /// Returns the sampled documents.
    pub fn sample_text(&self) -> String {
        let mut text = String::new();
        for one in self.sample.values() {
            put(&mut text, one.document.0.cast_unsigned(), NUMBER);
            put(&mut text, one.at.micros().cast_unsigned(), NUMBER);
            put(&mut text, one.lines.len() as u64, COUNT);
            for (path, key) in &one.lines {
                put(&mut text, u64::from(path.0), PATH);
                put(&mut text, key.0, KEY);
            }
        }
        text
    }

    /// Reads a record; `None` if a text is not one that this program has written.
    pub fn stored(version: i64, template: &str, sample: &str) -> Option<Self> {
        let (mut record, ..) = read(version, template)?;
        let mut rest = Digits(sample.as_bytes());
        while !rest.0.is_empty() && record.sample.len() < SAMPLE_SIZE {
            let document = DocumentId(rest.take(NUMBER)?.cast_signed());
            let at = Timestamp::from_micros(rest.take(NUMBER)?.cast_signed());
            let mut lines = Vec::new();
            for _ in 0..rest.count()? {
                let path = PathKey(u32::try_from(rest.take(PATH)?).ok()?);
                lines.push((path, BlockKey(rest.take(KEY)?)));
            }
            let one = Observation { document, at, lines };
            record.sample.insert(one.rank(), one);
        }
        rest.0.is_empty().then_some(record)
    }
}

impl Template {
    /// Reads a template; `None` if the text is not one that this program has written.
    pub fn stored(version: i64, text: &str) -> Option<Self> {
        let (record, pages, highest_rank) = read(version, text)?;
        Some(record.to_template(pages, highest_rank))
    }
}

/// Reads the text of a template: a record without a sample, the number of the sampled documents, and their highest rank.
fn read(version: i64, text: &str) -> Option<(TemplateRecord, usize, u64)> {
    let mut record = TemplateRecord { version, ..TemplateRecord::default() };
    let mut rest = Digits(text.as_bytes());
    let highest_rank = rest.take(NUMBER)?;
    let (pages, recurring, paths, known) = (rest.count()?, rest.count()?, rest.count()?, rest.count()?);
    if recurring > MOST_RECURRING || paths > MOST_PATHS || known > MOST_KNOWN {
        return None;
    }
    for _ in 0..recurring {
        record.recurring.insert(BlockKey(rest.take(KEY)?), u16::try_from(rest.take(COUNT)?).ok()?);
    }
    for _ in 0..paths {
        record.paths.push(PathKey(u32::try_from(rest.take(PATH)?).ok()?));
    }
    for _ in 0..known {
        record.known.push(BlockKey(rest.take(KEY)?));
    }
    rest.0.is_empty().then_some((record, pages, highest_rank))
}

fn put(text: &mut String, number: u64, digits: usize) {
    for digit in (0..digits).rev() {
        let index = (number >> (6 * digit)) & 63;
        text.push(char::from(DIGITS[usize::try_from(index).unwrap_or_default()]));
    }
}

/// Digits that have not been read.
struct Digits<'t>(&'t [u8]);

impl Digits<'_> {
    fn take(&mut self, digits: usize) -> Option<u64> {
        let (taken, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        taken.iter().try_fold(0u64, |number, digit| {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            Some(number << 6 | u64::from(value))
        })
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.take(COUNT)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::template::blocks;

    #[test]
    fn a_record_is_read_as_it_was_written_and_nothing_else_is() {
        let mut record = TemplateRecord::default();
        for id in 1..=60 {
            let text = format!("# Page {id}\n\nmenu\n\nown words of {id}\n");
            let at = Timestamp::from_micros(1_700_000_000_000_000 + id);
            record.fold([Observation::of(DocumentId(id), at, &blocks(&text, &[]))]);
        }
        assert_eq!((record.pages(), record.blocks() > 0), (SAMPLE_SIZE, true));
        let (template, sample) = (record.template_text(), record.sample_text());
        assert_eq!(TemplateRecord::stored(record.version, &template, &sample).as_ref(), Some(&record));
        assert_eq!(Template::stored(record.version, &template), record.template());
        for wrong in ["", "A", "é", &template[1..], &format!("{template}A"), &template.replace('A', "!")] {
            assert_eq!(Template::stored(1, wrong), None, "{wrong}");
        }
        assert_eq!(TemplateRecord::stored(1, &template, &sample[1..]), None);
    }
}
