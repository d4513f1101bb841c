//! Tests the views of hosts and accounts: snapshots at the three sizes, and the styles that carry meaning in them.

use super::shot;
use crate::support::facts::{options, within};
use crate::support::screen::{Screen, find, lines};
use crate::support::seen::{accounts, hosts, pauses};
use quarterdeck::domain::filter::{Filter, Subject};
use quarterdeck::domain::topic::TopicSet;
use quarterdeck::store::{HostSummary, Listing};
use quarterdeck::tui::Options;
use quarterdeck::tui::effect::Effect;
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::update::update;
use quarterdeck::tui::views::catalog::{ViewId, ViewRows};
use ratatui::style::{Color, Modifier};

fn hosts_view(options: Options, width: u16, height: u16) -> Screen {
    let mut screen = Screen::with(options, width, height);
    screen.press(&["4"]);
    screen.send(Msg::Rows(ViewRows::Hosts(Ok(hosts()))));
    screen.send(Msg::Pauses(Ok(pauses())));
    screen
}

fn accounts_view(options: Options, width: u16, height: u16) -> Screen {
    let mut screen = Screen::with(options, width, height);
    screen.press(&["5"]);
    screen.send(Msg::Rows(ViewRows::Accounts(Ok(accounts()))));
    screen.send(Msg::Pauses(Ok(pauses())));
    screen
}

#[test]
fn the_hosts_at_three_sizes() {
    for (width, height) in super::SIZES {
        let mut screen = hosts_view(options(), width, height);
        shot(&format!("hosts-{width}x{height}"), &screen);
        screen.press(&["i"]);
        shot(&format!("hosts-about-{width}x{height}"), &screen);
        screen.press(&["esc", "p"]);
        shot(&format!("hosts-pause-{width}x{height}"), &screen);
    }
}

#[test]
fn the_accounts_at_three_sizes() {
    for (width, height) in super::SIZES {
        let mut screen = accounts_view(options(), width, height);
        screen.press(&["j"]);
        shot(&format!("accounts-{width}x{height}"), &screen);
        screen.press(&["i"]);
        shot(&format!("accounts-about-{width}x{height}"), &screen);
    }
}

#[test]
fn a_zoomed_view_has_room_for_reasons() {
    let mut screen = hosts_view(options(), 120, 40);
    screen.press(&["z"]);
    assert!(screen.text().contains("cool-down, in 1:20: 5 documents in a"), "{}", screen.text());
    shot("hosts-zoomed-120x40", &screen);
    let mut screen = accounts_view(options(), 120, 40);
    screen.press(&["z"]);
    shot("accounts-zoomed-120x40", &screen);
}

#[test]
fn what_holds_a_host_up_stands_out() {
    let mut screen = hosts_view(options(), 120, 40);
    screen.press(&["G"]);
    let (text, colour) = (screen.text(), |text: &str| screen.cell_of(text).fg);
    assert_eq!(colour("cool-down 1:20"), Color::Magenta, "{text}");
    assert_eq!(colour("wait 3:20"), Color::Yellow, "{text}");
    assert_eq!(colour("paused by ben"), Color::Yellow, "{text}");
    assert_eq!(colour("42%"), Color::Red, "{text}");
    assert_eq!(colour("28%"), Color::Yellow, "{text}");
    assert_eq!(colour("2/2"), Color::Cyan, "{text}");
    assert_eq!(colour("4 hosts"), Color::Cyan, "{text}");
    assert!(screen.cell_of("(files)").modifier.contains(Modifier::REVERSED), "{text}");
    assert!(screen.cell_of("1.4 s").modifier.contains(Modifier::DIM), "{text}");
    // A back-off that is over is no longer shown, even without another query.
    let mut screen = hosts_view(options(), 120, 40);
    update(&mut screen.model, within(80), Msg::RefreshDue);
    assert!(!screen.text().contains("cool-down"), "{}", screen.text());
    assert!(screen.text().contains("wait 2:00"), "{}", screen.text());
}

#[test]
fn the_pane_below_explains_a_hold_and_a_pause() {
    let mut screen = hosts_view(options(), 120, 40);
    let text = screen.text();
    let until = within(80).clock(&screen.model.zone());
    assert!(text.contains("! cooling down: 5 documents in a row timed out"), "{text}");
    assert!(text.contains(&format!("Cooling down, next request in 1:20 ({until}); no attempt is lost.")), "{text}");
    assert!(text.contains("48 documents, 6 failed (13%)"), "{text}");
    screen.press(&["j"]);
    let text = screen.text();
    assert!(text.contains("↻ cooling down: 3 documents received Retry-After"), "{text}");
    assert!(text.contains("40 attempts, 11 got 429 or 503 (28%), median latency 212 ms"), "{text}");
    while !screen.text().contains("╭─ acme.example ") {
        screen.press(&["j"]);
    }
    assert!(screen.text().contains("□ paused by ben 2d ago"), "{}", screen.text());
    assert!(screen.text().contains("Its jobs are paused; p resumes them."), "{}", screen.text());
}

#[test]
fn an_account_shows_its_documents_its_share_and_its_pause() {
    let mut screen = accounts_view(options(), 120, 40);
    screen.press(&["j"]);
    let text = screen.text();
    assert!(text.contains("□ paused by ana since 13:02  6 running, 1,412 queued, 12 waiting"), "{text}");
    assert!(text.contains("✗ 61 failed   ↻ 12 waiting   ▸ 6 syncing   ◦ 1,412 queued   ✓ 118,000 synced"), "{text}");
    assert!(text.contains("820 attempts, 90% of 910"), "{text}");
    assert!(text.contains("119,491 documents · plan business, every 1 day"), "{text}");
    let buffer = screen.buffer();
    let (x, y) = find(&buffer, "7 Acme").expect("the account");
    assert!(buffer[(x, y)].modifier.contains(Modifier::REVERSED));
    screen.press(&["k"]);
    let buffer = screen.buffer();
    let (x, y) = find(&buffer, "✗↻▸◦✓✓").expect("a sign for each status, two for the most");
    let colours: Vec<_> = (0..6).map(|cell| buffer[(x + cell, y)].fg).collect();
    use Color::{Cyan, Green, Red, Yellow};
    assert_eq!(colours, [Red, Yellow, Cyan, Cyan, Green, Green]);
    assert_eq!(screen.cell_of("━━━╸").fg, Color::Cyan);
    assert_eq!(screen.cell_of("paused ").fg, Color::Yellow);
    assert_eq!(screen.cell_of("! 9 ").fg, Color::Magenta, "a stuck document must be looked at");
}

/// Returns the screen as one line, without its frames.
fn flat(screen: &Screen) -> String {
    let text = screen.text().replace(['│', '┃'], " ");
    format!(" {}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Returns a view's text about the row under the cursor, followed by the text that `i` shows about it, from first to
/// last line.
fn all_of_it(screen: &mut Screen) -> String {
    screen.press(&["j"]);
    let mut said = flat(screen);
    screen.press(&["i"]);
    said.push_str(&flat(screen));
    screen.press(&["j"; 5]);
    said.push_str(&flat(screen));
    screen.press(&["G"]);
    said + &flat(screen)
}

#[test]
fn nothing_that_is_known_of_an_account_or_a_host_is_out_of_reach() {
    for (width, height) in super::SIZES {
        let mut screen = accounts_view(options(), width, height);
        assert_eq!(height < 24, screen.text().contains("i about ─╯"), "{}", screen.text());
        assert!(screen.text().contains("p pause"), "{}", screen.text());
        let said = all_of_it(&mut screen);
        for fact in [
            "plan business, every 1 day",
            "documents 119,491",
            "jobs 6 running, 1,412 queued, 12 waiting",
            "━━━━━━━ 90%",
            "820 of 910 attempts",
            "paused by ana since 13:02",
            "✓ 118,000 synced",
        ] {
            assert!(said.contains(fact), "{fact} at {width}x{height}:\n{said}");
        }
        let said = all_of_it(&mut hosts_view(options(), width, height));
        for fact in ["documents 96", "429 or 503 11 (28%)", "latency 212 ms", "running 0/2", "next request in 3:20"] {
            assert!(said.contains(fact), "{fact} at {width}x{height}:\n{said}");
        }
    }
    // The data changes while it is read, and the row may disappear meanwhile.
    let mut screen = accounts_view(options(), 80, 24);
    screen.press(&["i"]);
    screen.send(Msg::Rows(ViewRows::Accounts(Ok(Listing::default()))));
    assert!(screen.text().contains("All documents here were removed."), "{}", screen.text());
    screen.press(&["esc", "i"]);
    assert!(screen.text().contains("there is no account here"), "{}", screen.text());
}

#[test]
fn loading_empty_away_slow_and_old_each_have_their_words() {
    let mut screen = Screen::usual(80, 24);
    for (key, reading, none) in [
        ("4", "Reading the hosts", "No host: there are no documents yet."),
        ("5", "Reading the accounts", "No account: there are no documents yet."),
    ] {
        screen.press(&[key]);
        assert!(screen.text().contains(reading), "{}", screen.text());
        let away = "the database is away: it was there a moment ago, and this is tried again";
        if key == "4" {
            screen.send(Msg::Rows(ViewRows::Hosts(Err(away.into()))));
            assert!(screen.text().contains("it was there a moment ago"), "{}", screen.text());
            screen.send(Msg::Rows(ViewRows::Hosts(Ok(Listing::default()))));
        } else {
            screen.send(Msg::Rows(ViewRows::Accounts(Ok(Listing::default()))));
        }
        assert!(screen.text().contains(none), "{}", screen.text());
    }
    let mut screen = hosts_view(options(), 120, 40);
    screen.send(Msg::Rows(ViewRows::Hosts(Err("the database is away".into()))));
    assert!(screen.text().contains("hosts  data 0s old: the database is away"), "{}", screen.text());
    let old = screen.cell_of("wiki.example");
    assert_eq!((old.fg, old.modifier), (Color::Reset, Modifier::DIM));
    // The store responds after three seconds; from now on the view shows the age of its data.
    screen.send(Msg::StoreChanged(TopicSet::ALL));
    let begun = screen.model.now;
    let later = |seconds| begun.plus(std::time::Duration::from_secs(seconds));
    update(&mut screen.model, later(8), Msg::Rows(ViewRows::Hosts(Ok(hosts()))));
    assert!(screen.text().contains("worst first · 2 cooling down · 1 paused  0s old"), "{}", screen.text());
    update(&mut screen.model, later(12), Msg::RefreshDue);
    assert!(screen.text().contains("  4s old"), "{}", screen.text());
}

/// Returns the loads of views that the screen has requested.
fn loads(screen: &mut Screen) -> Vec<(ViewId, u128)> {
    let of_view = |effect| match effect {
        Effect::LoadView { view, wait } => Some((view, wait.as_millis())),
        _ => None,
    };
    screen.asked().into_iter().filter_map(of_view).collect()
}

#[test]
fn a_view_is_read_when_it_is_shown_and_only_while_it_is() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["4"]);
    assert_eq!(loads(&mut screen), [(ViewId::Hosts, 0)]);
    screen.send(Msg::StoreChanged(TopicSet::ALL));
    screen.press(&["4"]);
    assert_eq!(loads(&mut screen), [], "it is being read");
    screen.send(Msg::Rows(ViewRows::Hosts(Ok(hosts()))));
    assert_eq!(loads(&mut screen), [(ViewId::Hosts, 2_000)], "once more, for what was missed, after a rest");
    screen.press(&["5"]);
    assert_eq!(loads(&mut screen), [(ViewId::Accounts, 0)]);
    screen.send(Msg::Rows(ViewRows::Hosts(Ok(hosts()))));
    screen.send(Msg::Rows(ViewRows::Accounts(Ok(accounts()))));
    screen.press(&["1"]);
    screen.send(Msg::StoreChanged(TopicSet::ALL));
    assert_eq!(loads(&mut screen), [], "nobody looks");
}

#[test]
fn enter_goes_to_the_documents_with_a_filter_that_reads_back() {
    let mut screen = hosts_view(options(), 120, 40);
    while screen.model.views.hosts.row().is_none_or(|seen| !seen.host.contains(":8443")) {
        screen.press(&["j"]);
    }
    screen.press(&["enter"]);
    let documents = &screen.model.documents;
    assert_eq!(
        (screen.model.active_view, documents.filter_text.as_str()),
        (ViewId::Documents, "host:failing.example:8443")
    );
    assert_eq!(Filter::parse_for(&documents.filter_text, Subject::Documents).as_ref(), Ok(&documents.filter));
    let filter = documents.filter.clone();
    let asked = screen.asked();
    let of_list = |effect: &Effect| matches!(effect, Effect::LoadPage { query, .. } if query.filter == filter);
    assert!(asked.iter().any(of_list), "{asked:?}");
}

#[test]
fn more_than_can_be_shown_are_counted() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["4"]);
    let rows: Vec<HostSummary> =
        (0..1_000).map(|n| crate::support::seen::host(&format!("h{n:04}.example"), 3, 0)).collect();
    screen.send(Msg::Rows(ViewRows::Hosts(Ok(Listing { rows, total: 5_204 }))));
    assert!(screen.text().contains("hosts 1,000 of 5,204 worst first"), "{}", screen.text());
    screen.press(&["G"]);
    assert!(screen.text().contains("h0999.example") && !screen.text().contains("h0000"), "{}", screen.text());
    assert!(screen.text().contains('┃'), "{}", screen.text());
}

#[test]
fn colours_are_the_terminals_and_none_is_needed_and_ascii_is_enough() {
    let fine = [Color::Reset, Color::Red, Color::Green, Color::Yellow, Color::Magenta, Color::Cyan];
    for view in [hosts_view, accounts_view] {
        let coloured = view(options(), 120, 40);
        for cell in coloured.buffer().content() {
            assert!(fine.contains(&cell.fg) && cell.bg == Color::Reset, "{cell:?}");
        }
        let mono = view(Options { mono: true, ..options() }, 120, 40);
        assert!(mono.buffer().content().iter().all(|cell| cell.fg == Color::Reset));
        assert_eq!(mono.text(), coloured.text());
        let mut ascii = view(Options { ascii: true, ..options() }, 120, 40);
        let rows: Vec<_> = accounts().rows.into_iter().filter(|seen| seen.id.0 != 12).collect();
        ascii.send(Msg::Rows(ViewRows::Accounts(Ok(Listing { total: 3, rows }))));
        ascii.send(Msg::NewestOutcomes(Ok(Vec::new())));
        let main = lines(&ascii.buffer()).into_iter().map(|line| line.chars().take(80).collect::<String>());
        for line in main {
            assert!(line.is_ascii(), "{line:?}");
        }
    }
}

#[test]
fn nothing_panics_at_any_size() {
    for view in [hosts_view, accounts_view] {
        for keys in [vec!["j", "j"], vec!["G", "z"], vec!["p"], vec!["i"], vec!["tab", "k"]] {
            let mut screen = view(options(), 120, 40);
            screen.press(&keys);
            for width in (1..=20).chain([38, 39, 40, 41, 50, 63, 64, 65, 80, 100, 160, 400]) {
                for height in (1..=6).chain([11, 12, 13, 17, 18, 29, 30, 200]) {
                    screen.send(Msg::Resize(width, height));
                    let _ = screen.buffer();
                }
            }
        }
    }
}
