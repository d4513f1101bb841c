//! The signs on the screen, in Unicode and in ASCII. Each is one terminal cell wide, except the ASCII word for the
//! Enter key.

use crate::domain::document::{RecentResult, Status};
use ratatui::symbols::border;

/// A set of signs, one for each meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub ascii: bool,
    /// A failure that ended a job, or a problem of the same weight, such as a dead worker.
    pub failed: &'static str,
    /// A failure that will be retried, or another wait, such as one that a host requested.
    pub retrying: &'static str,
    pub running: &'static str,
    /// A job that is ready and waits to be started.
    pub queued: &'static str,
    /// A success: new content, a document that is up to date, or a request that was carried out.
    pub good: &'static str,
    /// A document that was synced longer ago than its cadence allows, or a job that is scheduled for later.
    pub stale: &'static str,
    pub unchanged: &'static str,
    pub never: &'static str,
    /// A document that is a PDF, which is never fetched.
    pub pdf: &'static str,
    /// A page whose first text Chatwoot has not stored yet.
    pub crawling: &'static str,
    /// Something that needs a person's attention, such as a stuck document, a lost worker or a refused request.
    pub alarm: &'static str,
    /// Quarantined content, which needs review.
    pub quarantined: &'static str,
    pub stopped: &'static str,
    /// A request for a document whose attempt was already running.
    pub already_syncing: &'static str,
    pub on: &'static str,
    pub off: &'static str,
    /// Sign before the row under the cursor.
    pub bar: &'static str,
    pub mark: &'static str,
    /// More rows below.
    pub below: &'static str,
    /// More rows above.
    pub above: &'static str,
    pub none: &'static str,
    /// Separator between facts in one line.
    pub dot: &'static str,
    /// Ellipsis: text was cut off, or continues.
    pub ellipsis: &'static str,
    pub thumb: &'static str,
    pub enter: &'static str,
    /// Vertical bars in eight heights, the lowest first.
    pub bars: [&'static str; 8],
    /// Parts of a horizontal bar: half a cell and a whole cell.
    pub horizontal_bar: [&'static str; 2],
    pub frame: border::Set<'static>,
}

/// Returns the signs of a console. The frames of a `plain` one, which writes lines, are never ASCII, so that they can be
/// distinguished from text.
pub const fn glyphs(ascii: bool, plain: bool) -> Glyphs {
    let frame = if ascii && !plain { ASCII.frame } else { UNICODE.frame };
    Glyphs { frame, ..if ascii { ASCII } else { UNICODE } }
}

/// Signs for terminals and fonts that have Unicode's symbols; the default.
pub const UNICODE: Glyphs = Glyphs {
    ascii: false,
    failed: "✗",
    retrying: "↻",
    running: "▸",
    queued: "◦",
    good: "✓",
    stale: "~",
    unchanged: "=",
    never: "·",
    pdf: "≡",
    crawling: "»",
    alarm: "!",
    quarantined: "?",
    stopped: "□",
    already_syncing: "⤳",
    on: "●",
    off: "○",
    bar: "▌",
    mark: "+",
    below: "▼",
    above: "▲",
    none: "–",
    dot: "·",
    ellipsis: "…",
    thumb: "┃",
    enter: "⏎",
    bars: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    horizontal_bar: ["╸", "━"],
    frame: border::ROUNDED,
};

/// Signs for terminals and fonts that have only ASCII.
pub const ASCII: Glyphs = Glyphs {
    ascii: true,
    failed: "x",
    retrying: "r",
    running: ">",
    queued: "o",
    good: "v",
    stale: "~",
    unchanged: "=",
    never: ".",
    pdf: "p",
    crawling: ":",
    alarm: "!",
    quarantined: "?",
    stopped: "c",
    already_syncing: "^",
    on: "*",
    off: "o",
    bar: ">",
    mark: "+",
    below: "v",
    above: "^",
    none: "-",
    dot: "-",
    ellipsis: "~",
    thumb: "#",
    enter: "enter",
    bars: [".", ".", ":", ":", "|", "|", "#", "#"],
    horizontal_bar: ["-", "="],
    frame: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

impl Glyphs {
    /// Returns the sign for the direction of a sorted column.
    pub const fn sort_sign(&self, descending: bool) -> &'static str {
        match (self.ascii, descending) {
            (true, true) => "^",
            (true, false) => "v",
            (false, true) => "↑",
            (false, false) => "↓",
        }
    }

    /// Returns the sign of a document's status.
    pub const fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Failed => self.failed,
            Status::Stuck => self.alarm,
            Status::Waiting => self.retrying,
            Status::Syncing => self.running,
            Status::Queued => self.queued,
            Status::Stale => self.stale,
            Status::Synced => self.good,
            Status::Never => self.never,
            Status::Pdf => self.pdf,
            Status::Crawling => self.crawling,
        }
    }

    /// Returns the sign of one of a document's last results.
    pub const fn recent(&self, result: RecentResult) -> &'static str {
        match result {
            RecentResult::Updated => self.good,
            RecentResult::Unchanged => self.unchanged,
            RecentResult::Retrying => self.retrying,
            RecentResult::Failed => self.failed,
            RecentResult::Lost => self.alarm,
            RecentResult::Stopped => self.stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::width;

    fn signs(glyphs: &Glyphs) -> Vec<&'static str> {
        let mut signs: Vec<_> = Status::ALL.into_iter().map(|status| glyphs.status(status)).collect();
        let recent = ['u', 's', 'r', 'f', 'l', 'c'].into_iter().filter_map(RecentResult::from_letter);
        signs.extend(recent.map(|result| glyphs.recent(result)));
        signs.extend([
            glyphs.quarantined,
            glyphs.already_syncing,
            glyphs.on,
            glyphs.off,
            glyphs.bar,
            glyphs.mark,
            glyphs.below,
            glyphs.above,
        ]);
        signs.extend([glyphs.none, glyphs.dot, glyphs.ellipsis, glyphs.thumb, glyphs.frame.top_left]);
        signs.extend(glyphs.bars);
        signs.extend(glyphs.horizontal_bar);
        signs
    }

    #[test]
    fn every_sign_is_one_cell() {
        for sign in signs(&UNICODE).into_iter().chain(signs(&ASCII)) {
            assert_eq!(width(sign), 1, "{sign}");
        }
        assert!(signs(&ASCII).iter().all(|sign| sign.is_ascii()));
    }

    #[test]
    fn every_status_has_its_own_sign() {
        for glyphs in [UNICODE, ASCII] {
            for (place, status) in Status::ALL.into_iter().enumerate() {
                let others = Status::ALL.iter().skip(place + 1);
                assert!(others.into_iter().all(|other| glyphs.status(*other) != glyphs.status(status)), "{status:?}");
            }
        }
    }
}
