//! Titles whose letters take other numbers of cells in each terminal.

use super::*;

/// What a title is made of: vowel signs to the right of their letter, flags, families, colours of skin, variants,
/// letters of syllables, marks above and below.
const TITLES: [&str; 9] = [
    "हिन्दी में सहायता",
    "বাংলা সহায়তা কেন্দ্র",
    "മലയാളം സഹായം",
    "🇩🇪 Hilfe 🇭🇺 segítség",
    "👨‍👩‍👧 family 👩🏽‍💻 work 🏳️‍🌈",
    "❤️ love ☎️ call 1️⃣ first",
    "한국어 도움말",
    "ความช่วยเหลือ กำลัง",
    "🫨 shaken 🪿 goose",
];

/// Returns the screen without its head line, where the time stands.
fn below_the_head(screen: &vt100::Screen) -> Vec<String> {
    screen.contents().lines().skip(1).map(|line| line.trim_end().to_owned()).collect()
}

/// The emulator counts the cells of these titles as tmux and xterm do. What it shows after each key is what it shows
/// when everything is drawn anew on a clean screen.
#[test]
fn titles_of_doubtful_width_leave_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let titles = TITLES.iter().cycle().take(60).enumerate();
    let documents =
        titles.map(|(page, title)| (format!("https://docs{}.example.org/{page}", page % 3), (*title).into()));
    let url = store_of(&folder.path().join("titles.db"), documents);
    let mut terminal = Terminal::start(120, 40, &[], &["--no-runner", "--read-only", "--store", &url]);
    terminal.until_text("60 never");
    for (keys, text) in [
        ("jjjj", "documents 60"),
        ("G", "documents 60"),
        ("/docs1.example\r", "20 of 60"),
        ("/goose\r", "6 of 60"),
        ("\x1b", "20 of 60"),
        ("\x1b", "documents 60"),
        (",D", "by document"),
        ("4", "worst first"),
        ("1", "documents 60"),
        ("\r", "content"),
        ("\x1b", "documents 60"),
    ] {
        terminal.keys(keys);
        terminal.until_text(text);
        // Nothing changes any more: the answer to a key that opens the help and closes it again has come.
        terminal.keys("?");
        terminal.until_text("─ help ─");
        terminal.keys("\x1b");
        let screen = terminal.until("the view again", |screen| {
            let shown = screen.contents();
            !shown.contains("─ help ─") && shown.contains(text)
        });
        let before = below_the_head(&screen);
        terminal.scribble("\x1b[15;20Hscribbled over");
        terminal.until_text("scribbled over");
        terminal.keys("\x0c");
        let after = terminal.until("a clean screen", |screen| {
            let shown = screen.contents();
            !shown.contains("scribbled") && shown.contains(text)
        });
        assert_eq!(before, below_the_head(&after), "after {keys:?}");
    }
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
}
