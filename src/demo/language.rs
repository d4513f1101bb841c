//! Languages of the demo site: banks of words and sentences, read from `assets/demo/languages`.

use std::sync::LazyLock;

/// Word and sentence banks of a language.
#[derive(Debug)]
pub(super) struct Language {
    /// BCP 47 code, for `lang` and for paths.
    pub(super) code: &'static str,
    /// Direction of the text, `ltr` or `rtl`.
    pub(super) direction: &'static str,
    /// Complete titles.
    pub(super) titles: Vec<&'static str>,
    /// Actions of composed titles.
    pub(super) actions: Vec<&'static str>,
    /// Objects of composed titles.
    pub(super) objects: Vec<&'static str>,
    /// Qualifiers of composed titles.
    pub(super) qualifiers: Vec<&'static str>,
    /// Headings of sections.
    pub(super) headings: Vec<&'static str>,
    /// Sentences with `{o}` for an object and `{n}` for a number.
    pub(super) sentences: Vec<&'static str>,
    /// Items of a numbered list.
    pub(super) steps: Vec<&'static str>,
    phrases: Vec<&'static str>,
}

/// Fixed phrase of a page, such as a menu item, a table heading or an error. The variants are in the order of section
/// `ui` of the language files.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phrase {
    Home,
    Guides,
    Prices,
    Contact,
    Search,
    Cookies,
    Accept,
    Related,
    Contents,
    Reviewed,
    Rights,
    Helpful,
    Name,
    Value,
    Description,
    Revision,
    NotFound,
    Gone,
    Forbidden,
    ServerError,
    Unavailable,
}

impl Language {
    fn read(code: &'static str, direction: &'static str, file: &'static str) -> Self {
        let part = |name: &str| {
            file.lines()
                .skip_while(|line| line.strip_prefix("# ") != Some(name))
                .skip(1)
                .take_while(|line| !line.starts_with("# "))
                .filter(|line| !line.is_empty())
                .collect()
        };
        Self {
            code,
            direction,
            titles: part("titles"),
            actions: part("actions"),
            objects: part("objects"),
            qualifiers: part("qualifiers"),
            headings: part("headings"),
            sentences: part("sentences"),
            steps: part("steps"),
            phrases: part("ui"),
        }
    }

    /// Returns a fixed phrase in this language.
    pub(super) fn phrase(&self, phrase: Phrase) -> &'static str {
        self.phrases.get(phrase as usize).copied().unwrap_or_default()
    }

    /// Returns title number `number`, from 0; with one `offset`, all titles differ. Every second title is a complete
    /// one until those are used up. The others are composed of an action and an object, later also of a qualifier, and
    /// finally of a version. `offset` is the index in the language's lists at which the titles begin.
    pub(super) fn title(&self, number: usize, offset: usize) -> String {
        let Some(composed) = self.composed(number) else {
            return self
                .titles
                .get((number / 2 + offset) % self.titles.len().max(1))
                .copied()
                .unwrap_or_default()
                .into();
        };
        let action = self.actions.get(self.pair(composed, offset) / self.objects.len().max(1)).copied();
        let (action, object) = (action.unwrap_or_default(), self.object(number, offset).unwrap_or_default());
        let mut title = match self.code {
            "de" => format!("{object} {action}"),
            "ja" => format!("{object}の{action}"),
            _ => format!("{action} {object}"),
        };
        let round = composed / self.pairs();
        let circumstances = self.qualifiers.len() + 1;
        if let Some(qualifier) = (round % circumstances).checked_sub(1).and_then(|index| self.qualifiers.get(index)) {
            if self.code != "ja" {
                title.push(' ');
            }
            title.push_str(qualifier);
        }
        let version = round / circumstances;
        if version > 0 {
            title.push_str(&format!(" · 4.{version}"));
        }
        title
    }

    /// Returns the object in title number `number`; `None` for a complete title, which is not composed.
    pub(super) fn object(&self, number: usize, offset: usize) -> Option<&'static str> {
        let pair = self.pair(self.composed(number)?, offset);
        self.objects.get(pair % self.objects.len().max(1)).copied()
    }

    /// Returns the number that title number `number` has among the composed titles; `None` for a complete title.
    const fn composed(&self, number: usize) -> Option<usize> {
        let whole = self.titles.len();
        match number {
            _ if number >= 2 * whole => Some(number - whole),
            _ if number.is_multiple_of(2) => None,
            _ => Some(number / 2),
        }
    }

    fn pair(&self, composed: usize, offset: usize) -> usize {
        // The stride has no common divisor with the number of pairs, so that each pair occurs once.
        (composed * 1_009 + offset) % self.pairs()
    }

    fn pairs(&self) -> usize {
        (self.actions.len() * self.objects.len()).max(1)
    }
}

/// All languages, English first.
pub(super) static LANGUAGES: LazyLock<[Language; 8]> = LazyLock::new(|| {
    macro_rules! language {
        ($code:literal, $direction:literal) => {
            Language::read($code, $direction, include_str!(concat!("../../assets/demo/languages/", $code, ".txt")))
        };
    }
    [
        language!("en", "ltr"),
        language!("de", "ltr"),
        language!("fr", "ltr"),
        language!("es", "ltr"),
        language!("ja", "ltr"),
        language!("pt", "ltr"),
        language!("ar", "rtl"),
        language!("pl", "ltr"),
    ]
});

/// Index of English in [`LANGUAGES`].
pub(super) const ENGLISH: usize = 0;
/// Index of French in [`LANGUAGES`]: full of letters on which windows-1252 and ISO-8859-2 disagree.
pub(super) const FRENCH: usize = 2;
/// Index of Japanese in [`LANGUAGES`].
pub(super) const JAPANESE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_banks_are_full_and_need_no_escaping() {
        for language in LANGUAGES.iter() {
            let parts = [
                (&language.titles, 16),
                (&language.actions, 14),
                (&language.objects, 14),
                (&language.qualifiers, 8),
                (&language.headings, 10),
                (&language.sentences, 20),
                (&language.steps, 8),
                (&language.phrases, Phrase::Unavailable as usize + 1),
            ];
            for (part, lines) in parts {
                assert_eq!(part.len(), lines, "{}: {part:?}", language.code);
                assert!(part.iter().all(|line| !line.contains(['<', '>', '&', '"'])), "{}: {part:?}", language.code);
            }
        }
        assert_eq!([FRENCH, JAPANESE, ENGLISH].map(|index| LANGUAGES[index].code), ["fr", "ja", "en"]);
    }

    #[test]
    fn no_two_titles_of_a_language_are_the_same() {
        for language in LANGUAGES.iter() {
            let titles: HashSet<String> = (0..32_000).map(|number| language.title(number, 5)).collect();
            assert_eq!(titles.len(), 32_000, "{}", language.code);
        }
        assert_eq!(LANGUAGES[ENGLISH].title(0, 0), "Refund policy");
        assert_eq!(LANGUAGES[JAPANESE].title(0, 0), "ご利用ガイド");
    }
}
