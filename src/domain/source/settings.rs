//! What a person sets for a source, in the form in which the store keeps it.

use super::PagePattern;
use crate::domain::calendar::DayWindow;
use crate::domain::link::host_of;
use crate::domain::listing::ListingKind;
use crate::domain::plan::{Cadence, Timetable};
use crate::domain::time::Timestamp;
use crate::domain::word_enum::{serde_by_word, word_enum};
use serde::{Deserialize, Serialize};
use std::time::Duration;

word_enum! {
    /// What becomes of pages that a source has and the store has not.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum NewPages {
        /// A person decides about each.
        #[default]
        Propose = "propose",
        /// They are added at once.
        Add = "add",
    }
}
serde_by_word!(NewPages);

/// Maximum number of pages of a source, unless it sets another one.
const DEFAULT_LIMIT: u64 = 50_000;
/// Interval between two reads of a source that sets none, in seconds.
const DEFAULT_INTERVAL: u64 = 86_400;

/// Settings of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceSettings {
    /// Pages that count; if empty, all do.
    pub include: Vec<PagePattern>,
    /// Pages that do not count, although they are included.
    pub exclude: Vec<PagePattern>,
    /// Hosts whose pages count, beside that of the source.
    pub hosts: Vec<String>,
    /// Maximum number of pages. A source that has more is not read.
    pub limit: u64,
    pub new: NewPages,
    /// Interval between two reads in seconds; `None`, also without [`at`](Self::at): reads on request only.
    pub every: Option<u64>,
    /// Times of reads, in place of an interval: a rule of cron with a time zone.
    pub at: Option<String>,
    /// Part of each day in which reads may begin.
    pub between: Option<String>,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
            hosts: Vec::new(),
            limit: DEFAULT_LIMIT,
            new: NewPages::Propose,
            every: Some(DEFAULT_INTERVAL),
            at: None,
            between: None,
        }
    }
}

impl SourceSettings {
    /// Returns true if the patterns select a page.
    pub fn selects(&self, url: &str) -> bool {
        let included = self.include.is_empty() || self.include.iter().any(|pattern| pattern.matches(url));
        included && !self.exclude.iter().any(|pattern| pattern.matches(url))
    }

    /// Returns true if a page counts of a source on the host `own`.
    pub fn lists(&self, own: &str, url: &str) -> bool {
        let is_known = |host: String| host == own || self.hosts.contains(&host);
        host_of(url).is_some_and(is_known) && self.selects(url)
    }

    /// Returns true if other settings of the same source select the same pages.
    pub fn selects_as(&self, other: &Self) -> bool {
        (&self.include, &self.exclude, &self.hosts) == (&other.include, &other.exclude, &other.hosts)
    }

    /// Checks that the settings suit a listing of this kind.
    ///
    /// # Errors
    /// It is a page of links, and no pattern says which of them are pages. The error completes a sentence that begins with
    /// the listing.
    pub fn check_kind(&self, kind: ListingKind) -> Result<(), &'static str> {
        if kind == ListingKind::Links && self.include.is_empty() {
            return Err("is a page of links; say with --match which of them are pages");
        }
        Ok(())
    }

    /// Returns the times of reads.
    ///
    /// # Errors
    /// An interval, a rule or a window is not valid; the error begins with its name.
    pub fn times(&self) -> Result<SourceTimes, String> {
        let at = self.at.as_deref().map(Timetable::parse).transpose().map_err(|error| format!("at {error}"))?;
        let between = self.between.as_deref().map(DayWindow::parse).transpose();
        let between = between.map_err(|error| format!("between {error}"))?;
        let cadence = |seconds| Cadence::new(Duration::from_secs(seconds)).ok_or("every must be a minute at least");
        let every = self.every.map(cadence).transpose()?;
        if every.is_some() && at.is_some() {
            return Err("every and at exclude each other".to_owned());
        }
        Ok(SourceTimes { every, at, between })
    }

    /// Returns the settings as the store keeps them.
    pub fn to_stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads settings that the store has kept; what a newer program has added is left out. `None` for other texts.
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Times of the reads of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTimes {
    every: Option<Cadence>,
    at: Option<Timetable>,
    between: Option<DayWindow>,
}

impl SourceTimes {
    /// Returns the time of the read after one that ended at `now`; `None`: on request only.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let next = match (&self.at, self.every) {
            (Some(at), _) => at.times.after(now)?,
            (None, Some(every)) => now.plus(every.interval()),
            (None, None) => return None,
        };
        Some(self.open(next))
    }

    /// Returns `time`, or the later one at which the window opens.
    pub fn open(&self, time: Timestamp) -> Timestamp {
        let zone = self.at.as_ref().map(|at| at.times.zone());
        self.between.as_ref().and_then(|between| between.opens_at(time, zone)).unwrap_or(time)
    }

    /// Describes the times for people.
    pub fn described(&self, settings: &SourceSettings) -> String {
        let mut text = match (&settings.at, self.every) {
            (Some(at), _) => format!("at {at}"),
            (None, Some(every)) => every.to_string(),
            (None, None) => "on request only".to_owned(),
        };
        if let Some(between) = &settings.between {
            text.push_str(&format!(", between {between}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn times_are_those_of_plans() {
        let of = |every: Option<u64>, at: Option<&str>, between: Option<&str>| SourceSettings {
            every,
            at: at.map(str::to_owned),
            between: between.map(str::to_owned),
            ..SourceSettings::default()
        };
        let next = |settings: SourceSettings, now: &str| {
            settings.times().map(|times| times.next(time(now)).map(Timestamp::rfc3339))
        };
        let at = |text: &str| Ok(Some(format!("{text}.000000Z")));
        assert_eq!(next(of(Some(86_400), None, None), "2026-11-30T03:00:00Z"), at("2026-12-01T03:00:00"));
        assert_eq!(next(of(None, Some("0 3 * * *"), None), "2026-11-30T03:00:00Z"), at("2026-12-01T03:00:00"));
        assert_eq!(next(of(Some(3_600), None, Some("22:00-06:00")), "2026-11-30T09:00:00Z"), at("2026-11-30T22:00:00"));
        assert_eq!(next(of(None, None, None), "2026-11-30T03:00:00Z"), Ok(None));
        for wrong in [of(Some(5), None, None), of(Some(60), Some("0 3 * * *"), None), of(None, Some("x"), None)] {
            assert!(wrong.times().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn settings_are_stored_and_read_back() {
        let pattern = |text| PagePattern::parse(text).expect("a pattern");
        let settings = SourceSettings {
            include: vec![pattern("/docs/*")],
            exclude: vec![pattern("*.xml")],
            new: NewPages::Add,
            ..SourceSettings::default()
        };
        assert_eq!(SourceSettings::from_stored(&settings.to_stored()), Some(settings.clone()));
        assert_eq!(SourceSettings::from_stored("{\"later\":1}"), Some(SourceSettings::default()));
        assert_eq!(SourceSettings::from_stored("no json"), None);
        assert!(settings.selects("https://a.test/docs/x") && !settings.selects("https://a.test/docs/x.xml"));
        assert!(!settings.selects("https://a.test/x"));
    }
}
