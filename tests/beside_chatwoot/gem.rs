//! Chatwoot's own converter, the Ruby library `reverse_markdown` of the version in its lock file, where it is installed.

use super::EDITIONS;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Version that Chatwoot's lock file has; others make other texts.
const VERSION: &str = "2.1.1";

/// Converts the body of the HTML on standard input as Chatwoot's job of May 2026 does. Ends with 3 where the library is
/// another one.
const SCRIPT: &str = r#"
    begin
      require "nokogiri"
      require "reverse_markdown"
    rescue LoadError
      exit 3
    end
    exit 3 unless ReverseMarkdown::VERSION == ARGV[0]
    body = Nokogiri::HTML($stdin.binmode.read).at_xpath("//body").to_s
    $stdout.binmode.write(ReverseMarkdown.convert(body, unknown_tags: :bypass, github_flavored: true))
"#;

/// Returns the text of an edition by the library; `None` where it or Ruby is not installed.
pub(super) fn text(edition: usize) -> Option<&'static str> {
    static TEXTS: OnceLock<[Option<String>; 2]> = OnceLock::new();
    TEXTS.get_or_init(|| [0, 1].map(|edition| converted(EDITIONS[edition].html)))[edition].as_deref()
}

fn converted(html: &str) -> Option<String> {
    let mut ruby = Command::new("ruby");
    ruby.args(["-e", SCRIPT, VERSION]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = ruby.spawn().ok()?;
    // It may have ended already.
    let _ = running.stdin.take()?.write_all(html.as_bytes());
    let ended = running.wait_with_output().expect("ruby ends");
    match ended.status.code() {
        Some(0) => Some(String::from_utf8(ended.stdout).expect("UTF-8")),
        Some(3) => None,
        _ => panic!("{}", String::from_utf8_lossy(&ended.stderr)),
    }
}

#[test]
fn the_recorded_texts_are_those_of_the_library_where_it_is_installed() {
    for (edition, recorded) in EDITIONS.iter().enumerate() {
        let text = text(edition);
        println!("edition {edition}: {}", if text.is_some() { "by the library" } else { "it is not installed" });
        assert_eq!(text.unwrap_or(recorded.whole), recorded.whole);
    }
}
