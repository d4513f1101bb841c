//! A console without a terminal or an event loop: its state, keys, and the drawn screen.

use super::facts::{NOW, documents, options, outcomes};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use quarterdeck::domain::document::{Status, StatusCounts};
use quarterdeck::domain::estimate::{PastJob, WorkEstimate};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::outcome::Outcome;
use quarterdeck::domain::request::SkipReason;
use quarterdeck::runner::event::{Event, Phase, RunnerStatus};
use quarterdeck::store::{DocumentPage, Preview, QueueState, StoredVersion};
use quarterdeck::tui::Options;
use quarterdeck::tui::effect::Effect;
use quarterdeck::tui::model::Model;
use quarterdeck::tui::model::overlay::Overlay;
use quarterdeck::tui::msg::{DetailData, Msg};
use quarterdeck::tui::update::update;
use quarterdeck::tui::view;
use quarterdeck::tui::views::detail::state::HostPages;
use quarterdeck::tui::views::outcomes::pin::PinSubject;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use std::collections::HashMap;
use std::time::Duration;

/// Returns the key of a character, or of a name: `enter`, `esc`, `tab`, `del`, `down`, `end`, `f1`, `ctrl-c`.
pub fn key(name: &str) -> KeyEvent {
    let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
    match name {
        "enter" => plain(KeyCode::Enter),
        "esc" => plain(KeyCode::Esc),
        "tab" => plain(KeyCode::Tab),
        "del" => plain(KeyCode::Delete),
        "backspace" => plain(KeyCode::Backspace),
        "down" => plain(KeyCode::Down),
        "up" => plain(KeyCode::Up),
        "end" => plain(KeyCode::End),
        "pgdn" => plain(KeyCode::PageDown),
        "f1" => plain(KeyCode::F(1)),
        "ctrl-c" => KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
        "ctrl-s" => KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL),
        "ctrl-u" => KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL),
        "ctrl-z" => KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL),
        "space" => plain(KeyCode::Char(' ')),
        one => plain(KeyCode::Char(one.chars().next().expect("a key has a name"))),
    }
}

/// A console's state and the effects that it requested.
pub struct Screen {
    pub model: Model,
    pub effects: Vec<Effect>,
}

impl Screen {
    /// Makes a console with the data of the snapshots and a runner that uses 8 of 16 slots.
    pub fn usual(width: u16, height: u16) -> Self {
        Self::with(options(), width, height)
    }

    /// Makes the same console with other options.
    pub fn with(options: Options, width: u16, height: u16) -> Self {
        let mut screen = Self::empty(options, width, height);
        screen.send(Msg::Counts(Ok(counts())));
        screen.send(Msg::Queue(Ok(queue())));
        screen.send(Msg::NewestOutcomes(Ok(outcomes())));
        screen.page(documents());
        screen.send(Msg::Status(RunnerStatus { phase: Phase::Running, busy: 8, slots: 16 }));
        let steps = [
            (31, quarterdeck::domain::document::SyncStep::Fetching),
            (32, quarterdeck::domain::document::SyncStep::Comparing),
        ];
        for (document, step) in steps {
            screen.send(Msg::Runner(Event::Step { document: DocumentId(document), step }));
        }
        screen.effects.clear();
        screen
    }

    /// Makes a console that has requested everything and received nothing.
    pub fn empty(options: Options, width: u16, height: u16) -> Self {
        let model = Model::new(options, "sqlite knowledge.db".into(), true, NOW, (width, height));
        let mut screen = Self { model, effects: Vec::new() };
        screen.send(Msg::Start);
        screen
    }

    /// Sends a message at the state's current time. Panics if the message changes the screen without a redraw, since the
    /// person would then see the old screen until the next one.
    pub fn send(&mut self, msg: Msg) {
        let now = self.model.now;
        let (before, what) = (self.buffer(), format!("{msg:?}"));
        let up = update(&mut self.model, now, msg);
        if !up.redraw {
            let after = self.buffer();
            let changed = lines(&before).into_iter().zip(lines(&after)).find(|(before, after)| before != after);
            assert!(before == after, "changed without a redraw by {what}: {changed:#?}");
        }
        self.effects.extend(up.effects);
    }

    pub fn press(&mut self, keys: &[&str]) -> &mut Self {
        for name in keys {
            self.send(Msg::Key(key(name)));
        }
        self
    }

    pub fn type_text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.send(Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        }
        self
    }

    /// Answers the newest query for rows with these, as the whole list.
    pub fn page(&mut self, rows: Vec<quarterdeck::domain::document::DocumentRow>) {
        // In the snapshots a long list continues below its window.
        let total = if rows.len() > 20 { 1_204 } else { rows.len() as u64 };
        let generation = self.model.documents.generation;
        self.send(Msg::Page { generation, answer: Ok(DocumentPage { rows, offset: 0, total, matching: None }) });
    }

    /// Sends new outcomes.
    pub fn arrive(&mut self, outcomes: Vec<Outcome>) {
        self.send(Msg::Outcomes(outcomes));
    }

    /// Takes the effects that were requested since the last call.
    pub fn asked(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Answers the open preview: this many targets, two skipped documents.
    pub fn answer_preview(&mut self, targets: i64) {
        let preview = Preview {
            targets: (1..=targets).map(DocumentId).collect(),
            skipped: vec![(SkipReason::Pdf, 2), (SkipReason::Running, 1)],
            hosts: 4,
            estimate: WorkEstimate {
                documents: HashMap::from([("a.test".to_owned(), targets.unsigned_abs())]),
                past: vec![PastJob {
                    host: "a.test".into(),
                    busy: Duration::from_secs(4),
                    waits: Duration::from_secs(450),
                }],
                slots: 16,
            },
            faqs: None,
        };
        self.answer_preview_with(preview);
    }

    /// Answers the open preview.
    pub fn answer_preview_with(&mut self, preview: Preview) {
        let generation = match &self.model.overlay {
            Some(Overlay::Preview(dialog)) => dialog.generation,
            other => panic!("no preview is open: {other:?}"),
        };
        self.send(Msg::Preview { generation, answer: Ok(preview), costs_credits: false });
    }

    /// Opens the details of the document under the cursor and answers their queries.
    pub fn open_detail(&mut self) {
        self.press(&["enter"]);
        let detail = self.model.detail.as_ref().expect("the details are open");
        let generation = detail.generation;
        let row = self.model.documents.row().expect("a row is under the cursor").clone();
        let outcomes = super::facts::history(&row);
        let text = "# Pricing and plans\n\nEvery plan has *all* channels; what differs is how many people may answer, \
                    and how long what they wrote is kept.\n\n## Starter\n\n- two agents\n- 30 days";
        let record = quarterdeck::format::document_record(&row);
        let data = DetailData {
            row,
            outcomes,
            content: text.lines().map(str::to_owned).collect(),
            version: Some(5),
            versions: vec![StoredVersion {
                version: 4,
                replaced_at: super::facts::ago(15 * 86_400),
                fingerprint: Some("9f86d081884c7d659a2feaa0c55ad015".into()),
                content_length: 9_400,
            }],
            quarantined: None,
            chatwoot_jobs: Vec::new(),
            host_pages: Some(HostPages { documents: 41, failing: 3 }),
            record,
            read_id: generation,
        };
        let subject = PinSubject::Document(data.row.id);
        let pinned = data.outcomes.iter().rev().cloned().collect();
        self.send(Msg::Detail { generation, answer: Ok(Some(Box::new(data))) });
        self.send(Msg::PinnedOutcomes(subject, None, Ok(pinned)));
    }

    /// Draws the screen and returns its cells.
    pub fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.model.size.0, self.model.size.1));
        view::draw(&self.model, &mut buffer);
        buffer
    }

    /// Returns the text of the screen.
    pub fn text(&self) -> String {
        lines(&self.buffer()).join("\n")
    }

    /// Returns the cell at which `text` begins; panics with the screen if there is none.
    pub fn cell_of(&self, text: &str) -> Cell {
        let buffer = self.buffer();
        let (x, y) = find(&buffer, text).unwrap_or_else(|| panic!("no {text:?} on\n{}", self.text()));
        buffer[(x, y)].clone()
    }
}

/// Returns the lines of a buffer, as a terminal shows them.
pub fn lines(buffer: &Buffer) -> Vec<String> {
    let mut lines = Vec::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut covered = 0;
        for x in buffer.area.left()..buffer.area.right() {
            let symbol = buffer[(x, y)].symbol();
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = quarterdeck::domain::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Returns the position at which `text` begins.
pub fn find(buffer: &Buffer, text: &str) -> Option<(u16, u16)> {
    for y in buffer.area.top()..buffer.area.bottom() {
        for x in buffer.area.left()..buffer.area.right() {
            let rest: String = (x..buffer.area.right()).map(|x| buffer[(x, y)].symbol()).collect();
            if rest.starts_with(text) {
                return Some((x, y));
            }
        }
    }
    None
}

fn counts() -> StatusCounts {
    let mut counts = StatusCounts::default();
    let numbers = [41, 1, 12, 8, 2, 30, 1_088, 22];
    for (status, number) in Status::ALL.into_iter().zip(numbers) {
        counts.set(status, number);
    }
    counts
}

fn queue() -> QueueState {
    QueueState {
        paused: 0,
        ready: 2,
        running: 8,
        waiting: 12,
        scheduled: 900,
        oldest_ready_at: Some(super::facts::ago(720)),
        next_due_at: None,
        workers: 1,
    }
}
