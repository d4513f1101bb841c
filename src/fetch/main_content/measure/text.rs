//! Measures of a run of text: its length, its punctuation, and if it reads like sentences.

/// A run of text between the borders of two blocks. Lengths are in characters without white space.
#[derive(Default)]
pub(super) struct Run {
    pub text: u32,
    pub linked: u32,
    /// Number of commas, full stops and the like.
    marks: u32,
    has_price: bool,
    ends_sentence: bool,
}

/// Length outside links from which a run is prose without any punctuation, and with it.
const LONG_RUN: u32 = 100;
const SHORT_RUN: u32 = 32;
/// Longest run that can be a price.
const PRICE_RUN: u32 = 40;

impl Run {
    /// Adds a piece of text.
    pub fn add(&mut self, piece: TextMeasure, is_linked: bool) {
        self.text = self.text.saturating_add(piece.length);
        self.linked = self.linked.saturating_add(if is_linked { piece.length } else { 0 });
        self.marks = self.marks.saturating_add(piece.marks);
        self.has_price |= piece.has_price;
        self.ends_sentence = piece.ends_sentence;
    }

    /// Returns true if the run reads like sentences.
    pub fn is_prose(&self) -> bool {
        let plain = self.text - self.linked.min(self.text);
        (plain >= LONG_RUN && self.linked < plain)
            || (plain >= SHORT_RUN && self.linked * 2 < plain && (self.marks > 1 || self.ends_sentence))
    }

    /// Returns true if the run is short and names a price.
    pub fn is_price(&self) -> bool {
        self.has_price && self.text <= PRICE_RUN
    }
}

/// Measures of one piece of text.
#[derive(Clone, Copy, Default)]
pub(super) struct TextMeasure {
    pub length: u32,
    marks: u32,
    pub has_price: bool,
    ends_sentence: bool,
}

impl TextMeasure {
    /// Measures `text`.
    pub fn of(text: &str) -> Self {
        let mut one = Self::default();
        if text.is_ascii() {
            let (mut classes, mut last) = (0, 0);
            for byte in text.bytes() {
                let class = CLASSES[usize::from(byte)];
                one.length += u32::from(class & VISIBLE);
                one.marks += u32::from(class & MARK != 0);
                classes |= class;
                last = if class & VISIBLE != 0 { class } else { last };
            }
            one.has_price = classes & PRICE != 0;
            one.ends_sentence = last & END != 0;
            return one;
        }
        for c in text.chars().filter(|c| !is_blank(*c)) {
            let is_wide = matches!(c, '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..);
            one.length += if is_wide { 2 } else { 1 };
            let is_end = matches!(c, '.' | '!' | '?' | ':' | '。' | '！' | '？' | '؟' | '।' | '…' | '”' | '»');
            one.ends_sentence = is_end;
            one.marks += u32::from(is_end || matches!(c, ',' | ';' | '、' | '，' | '；' | '،' | '؛'));
            one.has_price |= c == '$' || matches!(c, '\u{a3}' | '\u{a5}' | '\u{20a0}'..='\u{20cf}');
        }
        one
    }
}

/// Returns true for characters that show nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

const VISIBLE: u8 = 1;
const MARK: u8 = 1 << 1;
const PRICE: u8 = 1 << 2;
const END: u8 = 1 << 3;

/// Classes of the characters of ASCII.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = b'!' as usize;
    while byte < 0x7f {
        classes[byte] = match byte as u8 {
            b'.' | b'!' | b'?' => VISIBLE | MARK | END,
            b':' => VISIBLE | END,
            b',' | b';' => VISIBLE | MARK,
            b'$' => VISIBLE | PRICE,
            _ => VISIBLE,
        };
        byte += 1;
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Run {
        let mut run = Run::default();
        run.add(TextMeasure::of(text), false);
        run
    }

    #[test]
    fn sentences_are_prose_and_labels_are_not() {
        assert!(run("The river rose by two metres on Monday, officials said.").is_prose());
        assert!(run("川は月曜日に二メートル上昇したと、当局者は述べた。").is_prose());
        assert!(!run("Home").is_prose());
        assert!(!run("Products and services of our company in Europe").is_prose());
        let mut linked = Run::default();
        linked.add(TextMeasure::of("The river rose by two metres on Monday, officials said."), true);
        assert!(!linked.is_prose());
    }

    #[test]
    fn prices_are_short() {
        assert!(run("$ 19.90").is_price() && run("12 €").is_price());
        assert!(!run("19.90").is_price());
        assert!(!run("The fund raised $ 3 million in a round that was led by its founders").is_price());
    }

    #[test]
    fn white_space_has_no_length() {
        assert_eq!(TextMeasure::of(" a\tb\n").length, 2);
        assert_eq!(TextMeasure::of("\u{a0}\u{a0}").length, 0);
        assert_eq!(TextMeasure::of("日本").length, 4, "they say as much as four letters");
    }
}
