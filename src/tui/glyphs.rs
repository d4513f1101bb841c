//! The signs on the screen: one cell each, in Unicode and in ASCII.

use crate::domain::document::{RecentResult, Status};
use ratatui::symbols::border;

/// A set of signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether these are the ASCII ones.
    pub ascii: bool,
    /// A failure that ended.
    pub failed: &'static str,
    /// A failure that is tried again.
    pub retrying: &'static str,
    /// An attempt that runs.
    pub running: &'static str,
    /// A job that waits for a slot.
    pub queued: &'static str,
    /// New content, or a document that is in order.
    pub good: &'static str,
    /// In order, but longer ago than wanted.
    pub stale: &'static str,
    /// Nothing new.
    pub same: &'static str,
    /// Never synced.
    pub never: &'static str,
    /// Somebody must look: stuck, or a lost worker.
    pub alarm: &'static str,
    /// A text that is held back until a person decides.
    pub held: &'static str,
    /// Stopped by a person.
    pub stopped: &'static str,
    /// A request that met a running attempt.
    pub met: &'static str,
    /// Something is on.
    pub on: &'static str,
    /// Something is off.
    pub off: &'static str,
    /// The bar before the cursor row.
    pub bar: &'static str,
    /// A marked row.
    pub mark: &'static str,
    /// Below here is more.
    pub below: &'static str,
    /// Above here is more.
    pub above: &'static str,
    /// No value.
    pub none: &'static str,
    /// Between facts of one line.
    pub dot: &'static str,
    /// Something was cut, or goes on.
    pub more: &'static str,
    /// The scroll bar's thumb.
    pub thumb: &'static str,
    /// The enter key.
    pub enter: &'static str,
    /// Eight heights, the lowest first.
    pub bars: [&'static str; 8],
    /// Half a cell and a whole one of a bar that lies.
    pub lying: [&'static str; 2],
    /// Frames of panes and dialogs.
    pub frame: border::Set<'static>,
}

/// The usual signs.
pub const UNICODE: Glyphs = Glyphs {
    ascii: false,
    failed: "✗",
    retrying: "↻",
    running: "▸",
    queued: "◦",
    good: "✓",
    stale: "~",
    same: "=",
    never: "·",
    alarm: "!",
    held: "?",
    stopped: "□",
    met: "⤳",
    on: "●",
    off: "○",
    bar: "▌",
    mark: "+",
    below: "▼",
    above: "▲",
    none: "–",
    dot: "·",
    more: "…",
    thumb: "┃",
    enter: "⏎",
    bars: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    lying: ["╸", "━"],
    frame: border::ROUNDED,
};

/// For terminals and fonts that have nothing else.
pub const ASCII: Glyphs = Glyphs {
    ascii: true,
    failed: "x",
    retrying: "r",
    running: ">",
    queued: "o",
    good: "v",
    stale: "~",
    same: "=",
    never: ".",
    alarm: "!",
    held: "?",
    stopped: "c",
    met: "^",
    on: "*",
    off: "o",
    bar: ">",
    mark: "+",
    below: "v",
    above: "^",
    none: "-",
    dot: "-",
    more: "~",
    thumb: "#",
    enter: "enter",
    bars: [".", ".", ":", ":", "|", "|", "#", "#"],
    lying: ["-", "="],
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
    /// The sign of a status.
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
        }
    }

    /// The sign of one of the last results.
    pub const fn recent(&self, result: RecentResult) -> &'static str {
        match result {
            RecentResult::Updated => self.good,
            RecentResult::Unchanged => self.same,
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
            glyphs.held,
            glyphs.met,
            glyphs.on,
            glyphs.off,
            glyphs.bar,
            glyphs.mark,
            glyphs.below,
            glyphs.above,
        ]);
        signs.extend([glyphs.none, glyphs.dot, glyphs.more, glyphs.thumb, glyphs.frame.top_left]);
        signs.extend(glyphs.bars);
        signs.extend(glyphs.lying);
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
