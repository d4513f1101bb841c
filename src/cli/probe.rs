//! `quarterdeck show ID --probe`: one fetch that is watched, and what it would change. Nothing is stored.

use super::exit::{CliError, Exit};
use super::join::limits;
use super::output::Output;
use crate::config::Config;
use crate::domain::content::{ContentChange, Page};
use crate::domain::difference::{Line, difference};
use crate::domain::document::DocumentRow;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::retry::RetryPolicy;
use crate::domain::text::safe_block;
use crate::fetch::{Answer, Ask, Hop, Probe, probe};
use crate::store::StoredContent;
use std::io;
use std::time::Duration;

/// Common lines beside each change, and lines of a difference that are printed.
const AROUND: usize = 2;
const SHOWN: usize = 60;

/// Fetches the document once and prints what happened.
pub(super) async fn run(
    config: &Config,
    row: &DocumentRow,
    stored: Option<&StoredContent>,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let ask = Ask::whole(row.id, row.url.as_str());
    let seen = probe(limits(config)?, &ask).await.map_err(|error| CliError::Usage(error.to_string()))?;
    out.line(format!("Probe of {} {}", row.id, row.url))?;
    for hop in &seen.hops {
        print_hop(hop, out)?;
    }
    print_ends(&seen, out)?;
    match &seen.end {
        Ok(Answer::Page(page)) => {
            print_page(page, row, stored, out)?;
            Ok(Exit::Done)
        }
        // Nobody asked whether it has changed.
        Ok(Answer::NotModified) => Ok(Exit::Done),
        Err(failure) => {
            out.line(format!("failed      {}", failure.detail))?;
            out.line(format!("            {}", what_next(failure, &config.retry)))?;
            Ok(Exit::SomeFailed)
        }
    }
}

fn print_hop(hop: &Hop, out: &mut Output) -> io::Result<()> {
    out.line("")?;
    out.line(format!("GET {}", hop.url))?;
    let stages = [("dns", hop.dns), ("connect", hop.connect), ("tls", hop.tls), ("first byte", hop.first_byte)];
    for (name, took) in stages {
        if let Some(took) = took {
            out.line(format!("  {name:<10}{:>10}", milliseconds(took)))?;
        }
    }
    match hop.status {
        Some(status) => out.line(format!("  answered  {status:>10}"))?,
        None => out.line("  no answer")?,
    }
    for (name, value) in &hop.headers {
        out.line(format!("  {name}: {value}"))?;
    }
    Ok(())
}

fn print_ends(seen: &Probe, out: &mut Output) -> io::Result<()> {
    out.line("")?;
    for (name, took) in [("body", seen.body), ("convert", seen.convert), ("in all", Some(seen.all))] {
        if let Some(took) = took {
            out.line(format!("{name:<12}{:>10}", milliseconds(took)))?;
        }
    }
    Ok(())
}

fn print_page(page: &Page, row: &DocumentRow, stored: Option<&StoredContent>, out: &mut Output) -> io::Result<()> {
    let fingerprint = Fingerprint::of(&page.content);
    let characters = page.content.chars().count();
    let cut = page.cut.map(|cut| format!(", {cut}")).unwrap_or_default();
    out.line(format!("title       {}", page.title.as_deref().unwrap_or("none")))?;
    out.line(format!("extracted   {characters} characters of {} bytes{cut}", page.bytes))?;
    out.line(format!("fingerprint {}", fingerprint.as_str()))?;
    let before = row.fingerprint.clone().filter(|_| stored.is_some()).map(Fingerprint::stored);
    let change = ContentChange::between(before.as_ref(), &fingerprint);
    out.line(match change {
        ContentChange::Same => "A sync would change nothing.",
        ContentChange::First => "A sync would store it as the first content:",
        _ => "A sync would change the stored text:",
    })?;
    if !change.writes() {
        return Ok(());
    }
    out.line("")?;
    let old = stored.map(|stored| safe_block(&stored.text)).unwrap_or_default();
    let new = safe_block(&page.content);
    let lines = difference(&old, &new, AROUND);
    for line in lines.iter().take(SHOWN) {
        match line {
            Line::Same(text) => out.line(format!("  {text}"))?,
            Line::Gone(text) => out.line(format!("- {text}"))?,
            Line::New(text) => out.line(format!("+ {text}"))?,
            Line::Skipped(count) => out.line(format!("  ({count} the same)"))?,
        }
    }
    if lines.len() > SHOWN {
        out.line(format!("  (and {} lines more)", lines.len() - SHOWN))?;
    }
    Ok(())
}

/// What a sync would do after this failure.
fn what_next(failure: &Failure, policy: &RetryPolicy) -> String {
    let attempts = policy.attempts(failure.class);
    match failure.class {
        FailureClass::Permanent => "A sync would fail and not try again by itself.".to_owned(),
        FailureClass::Transient | FailureClass::Unexpected => {
            match policy.wait(failure.class, 1, failure.retry_after) {
                Some(wait) => {
                    let wait = humantime::format_duration(Duration::from_secs(wait.as_secs()));
                    format!("A sync would try again in {wait}, {attempts} times in all.")
                }
                None => "A sync would fail and not try again by itself.".to_owned(),
            }
        }
    }
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
}
