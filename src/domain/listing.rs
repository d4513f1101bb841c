//! Pages as a listing has them: a sitemap, a feed, a page of links, an `llms.txt`.

use super::time::Timestamp;
use super::word_enum::word_enum;
use jiff::civil::Date;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

word_enum! {
    /// Kind of a listing.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ListingKind {
        /// `urlset` of the sitemap protocol.
        Sitemap = "sitemap",
        /// `sitemapindex`: it lists sitemaps.
        Index = "index",
        /// RSS or Atom. It lists only the newest pages.
        Feed = "feed",
        /// HTML page with links.
        Links = "links",
        /// Text with a URL per line, or Markdown with links, such as `llms.txt`.
        Text = "text",
    }
}

impl ListingKind {
    /// Returns true if the listing has every page of its site, so that a page that it no longer has is gone.
    pub const fn is_whole(self) -> bool {
        !matches!(self, Self::Feed)
    }

    /// Returns the kind in words, with its article.
    pub const fn described(self) -> &'static str {
        match self {
            Self::Sitemap => "a sitemap",
            Self::Index => "an index of sitemaps",
            Self::Feed => "a feed",
            Self::Links => "a page of links",
            Self::Text => "a list of links",
        }
    }
}

/// A page that a listing has. Nothing of it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPage {
    /// URL as it stands there, made absolute where the format allows relative ones.
    pub url: String,
    /// Time of the page's last change as the listing has it: not to be trusted.
    pub modified: Option<Timestamp>,
}

/// Reads the date of a listing: a date and time of W3C (`2026-11-30`, `2026-11-30T10:00:00+01:00`, `2026-11`) or of mail
/// (`Mon, 30 Nov 2026 10:00:00 GMT`). `None` for other texts. A date without a time stands for its start in UTC.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Some(at);
    }
    let day = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let micros = |at: jiff::Timestamp| Timestamp::from_micros(at.as_microsecond());
    if let Ok(date) = day.parse::<Date>() {
        return TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok().map(micros);
    }
    DateTimeParser::new().parse_timestamp(text).ok().map(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_sitemaps_and_feeds_are_read() {
        for (text, at) in [
            ("2026-11-30T10:00:00+01:00", Some("2026-11-30T09:00:00.000000Z")),
            ("2026-11-30T10:00:00.25Z", Some("2026-11-30T10:00:00.250000Z")),
            (" 2026-11-30 ", Some("2026-11-30T00:00:00.000000Z")),
            ("2026-11", Some("2026-11-01T00:00:00.000000Z")),
            ("2026", Some("2026-01-01T00:00:00.000000Z")),
            ("Mon, 30 Nov 2026 10:00:00 GMT", Some("2026-11-30T10:00:00.000000Z")),
            ("Mon, 30 Nov 2026 10:00:00 +0100", Some("2026-11-30T09:00:00.000000Z")),
            ("yesterday", None),
            ("2026-13-01", None),
            ("", None),
        ] {
            assert_eq!(parse_date(text).map(Timestamp::rfc3339).as_deref(), at, "{text:?}");
        }
    }
}
