//! Tests that keys act on the document under the cursor, although rows move all the time.

use crate::support::db;
use crate::support::install::{Install, OPERATOR, until};
use crate::support::pty::Terminal;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::store::Store;
use rustix::process::Signal;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

const PAGES: usize = 16;
const PRESSES: i64 = 6;

/// Returns the documents in the list, from the top, and the index of the one under the cursor.
fn shown(screen: &vt100::Screen) -> (Vec<String>, Option<usize>) {
    let (rows, cols) = screen.size();
    let (mut names, mut cursor) = (Vec::new(), None);
    for row in 0..rows.get() {
        let line = screen.contents_between(row, 0, row, cols.get());
        let Some(at) = line.find("/page-").filter(|_| is_row(&line)) else { continue };
        if line.contains('▌') {
            cursor = Some(names.len());
        }
        names.push(line[at..].chars().take(8).collect());
    }
    (names, cursor)
}

/// Returns true for a row of the list: a glyph and a name at the left edge. Lines of the pane below start differently.
fn is_row(line: &str) -> bool {
    let start: String = line.chars().take(12).collect();
    start.starts_with('│') && start.contains("/page")
}

/// Returns the hour on the clock at the end of the head line.
fn hour_of(screen: &vt100::Screen) -> String {
    let contents = screen.contents();
    let clock = contents.lines().next().and_then(|line| line.split_whitespace().last()).unwrap_or_default();
    clock.chars().take(2).collect()
}

fn under_cursor(screen: &vt100::Screen) -> Option<String> {
    let (mut names, cursor) = shown(screen);
    cursor.map(|cursor| names.swap_remove(cursor))
}

/// Requests all documents repeatedly, so that statuses change and rows move.
fn keep_asking(store: Arc<dyn Store>, ids: Vec<DocumentId>, stop: CancellationToken) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let request = Request {
            kind: RequestKind::Sync,
            class: QueueClass::Auto,
            by: "schedule".into(),
            scope: RequestScope::Bulk,
        };
        let mut changes = store.changes();
        while !stop.is_cancelled() {
            store.request(&ids, &request).await.expect("the store answers");
            let _ = changes.changed().await;
        }
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_acts_on_the_document_that_was_read_from_the_screen() {
    let site = Site::start(|path, hit| if hit % 2 == 0 { Reply::Status(404, vec![]) } else { html(path, "text") });
    let install = Install::new(site.await, "");
    let paths: Vec<String> = (10..10 + PAGES).map(|page| format!("/page-{page}")).collect();
    let ids = install.fill(&paths).await;
    let store = install.store().await;
    let worker = install.start(&["work"]);
    let stop = CancellationToken::new();
    let asking = keep_asking(Arc::clone(&store), ids, stop.clone());

    let mut command = install.on_terminal(&["--no-runner"]);
    command.env("TZ", "XYZ-5");
    let mut terminal = Terminal::spawn(80, 40, command);
    let mut hour = hour_of(&terminal.until("the list", |screen| shown(screen).1.is_some()));
    terminal.keys(",s");
    let mut moved = 0;
    for press in 1..=PRESSES {
        // Moves to some row; the clock in the head line goes to another time zone once the program has read the keys.
        terminal.keys(["gjt", "gjjjt", "Gt"][usize::try_from(press % 3).expect("fits")]);
        let screen = terminal
            .until("the clock of the other zone", |screen| hour_of(screen) != hour && under_cursor(screen).is_some());
        hour = hour_of(&screen);
        let target = under_cursor(&screen).expect("a cursor");
        let (order, place) = shown(&screen);
        let screen = terminal.until("rows in another order", |screen| {
            let now = shown(screen);
            now.1.is_some() && now.0 != order
        });
        assert_eq!(under_cursor(&screen), Some(target.clone()), "the cursor went with its document");
        moved += usize::from(shown(&screen).1 != place);
        terminal.keys("s");
        let asked = format!("select count(*) from outcomes where requested_by = '{OPERATOR}'");
        until(&*store, "an outcome for the key", async || db::integers(install.file(), &asked).await[0] >= Some(press))
            .await;
        let asked = format!("select url from outcomes where requested_by = '{OPERATOR}' order by seq");
        let urls: Vec<String> = db::texts(install.file(), &asked).await.into_iter().flatten().collect();
        let url = &urls[usize::try_from(press - 1).expect("fits")];
        assert!(url.ends_with(&target), "press {press} was on {target} and acted on {url}");
    }
    println!("{PRESSES} keys on rows that moved ({moved} times the row under the cursor itself), each on its document");
    stop.cancel();
    drop(asking);
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().code, Some(0));
    store.close().await;
}
