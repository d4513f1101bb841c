//! Sums over what is kept of an element.

use crate::fetch::main_content::measure::ElementMeasure;

/// Sums over what is kept of an element.
#[derive(Clone, Copy, Default)]
pub(super) struct Kept {
    pub text: u32,
    pub linked: u32,
    pub prose: u32,
    pub code: u32,
}

impl Kept {
    /// Returns the sums of an element of which nothing is left out.
    pub fn of(one: &ElementMeasure) -> Self {
        Self { text: one.text, linked: one.linked, prose: one.prose, code: one.code }
    }

    /// Returns the sums of the headings of an element.
    pub fn of_headings(one: &ElementMeasure) -> Self {
        Self { text: one.headings, linked: one.linked_headings, prose: 0, code: 0 }
    }

    /// Subtracts `other`.
    pub fn minus(self, other: Self) -> Self {
        Self {
            text: self.text.saturating_sub(other.text),
            linked: self.linked.saturating_sub(other.linked),
            prose: self.prose.saturating_sub(other.prose),
            code: self.code.saturating_sub(other.code),
        }
    }

    /// Adds `other`.
    pub fn plus(self, other: Self) -> Self {
        Self {
            text: self.text.saturating_add(other.text),
            linked: self.linked.saturating_add(other.linked),
            prose: self.prose.saturating_add(other.prose),
            code: self.code.saturating_add(other.code),
        }
    }

    /// Weight of the text: sentences and code count in full, other text outside links a quarter.
    pub fn weight(self) -> u32 {
        let full = self.prose.saturating_add(self.code);
        let plain = self.text.saturating_sub(self.linked);
        full.saturating_add(plain.saturating_sub(full) / 4)
    }
}
