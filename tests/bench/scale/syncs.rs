//! The cost of a sync in `work --drain` on SQLite: a first sync, a page fetched whole that has not changed, a page that
//! the server calls not modified, and tiny pages.

use super::groups::Group;
use super::machine::is_installed;
use super::pages::PageKind;
use super::parts::SUM;
use super::process::{Home, Usage};
use super::sheet::Figure;
use super::subject::{Run, Subject};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Most pages of a run whose system calls are counted: strace makes it slow. Of tiny pages as many as make the start and
/// the end of the process, some 8,000 calls, less than one a document.
const TRACED: usize = 500;
const TRACED_TINY: usize = 10_000;

/// Tiny pages of a run for each page of the other cases: the start of the process would be a tenth of their cost.
const TINY_PAGES: usize = 10;

/// Syncs before one of pages that have been synced before.
const TO_SETTLE: usize = 3;

/// A sync whose cost is measured.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    kind: PageKind,
    /// The pages have been synced before.
    is_second: bool,
    /// The content change that every outcome must record.
    change: &'static str,
}

impl Case {
    /// Returns the number of pages of a run that has `pages` pages in the other cases.
    fn pages(self, pages: usize) -> usize {
        if self.is_tiny() { pages * TINY_PAGES } else { pages }
    }

    fn traced(self, pages: usize) -> usize {
        self.pages(pages).min(if self.is_tiny() { TRACED_TINY } else { TRACED })
    }

    fn is_tiny(self) -> bool {
        matches!(self.kind, PageKind::Tiny)
    }
}

const FIRST: Case = Case { name: "first sync", kind: PageKind::Whole, is_second: false, change: "first" };
const IDENTICAL: Case = Case { name: "unchanged, fetched whole", is_second: true, change: "identical", ..FIRST };
const NOT_MODIFIED: Case = Case { name: "304", kind: PageKind::Tagged, is_second: true, change: "not_modified" };
const TINY: Case = Case { name: "first sync, 22 bytes", kind: PageKind::Tiny, ..FIRST };

/// Cases and numbers of concurrent syncs.
const CASES: [(Case, usize); 7] =
    [(FIRST, 16), (IDENTICAL, 16), (NOT_MODIFIED, 16), (FIRST, 64), (IDENTICAL, 64), (NOT_MODIFIED, 64), (TINY, 64)];

/// Measures all cases in every round, then their system calls where strace is installed.
pub fn measure(run: &mut Run) -> Result<(), String> {
    for index in run.turns() {
        for (case, concurrency) in CASES {
            let pages = case.pages(run.options.pages);
            let subject = &run.subjects[index];
            let home = prepare(run, subject, case, pages)?;
            let usage = home.run(subject, &["work", "--drain", "--concurrency", &concurrency.to_string()])?;
            check(&home.file(), case, pages, index == 0)?;
            add(run, index, case, concurrency, usage);
        }
    }
    if let Some(sum) = run.sheet.value(Group::Parts, SUM, 0) {
        for index in 0..run.subjects.len() {
            let first = run.sheet.value(Group::Sync, &name(FIRST, 16, "CPU a document"), index);
            let ratio = first.ok_or("no first sync")? / sum;
            run.sheet.add(
                index,
                Figure::new(Group::Sync, "first sync, 16: CPU, times the parts", "").at_most(1.3),
                ratio,
            );
        }
    } else {
        run.sheet.note("no ratio of a first sync to its parts: the group `parts` was not measured");
    }
    // Where processes may not be traced, as in some containers, the other figures are complete all the same.
    if let Err(failure) = trace(run) {
        run.sheet.note(format!("no system calls: {failure}"));
    }
    Ok(())
}

fn name(case: Case, concurrency: usize, what: &str) -> String {
    format!("{}, {concurrency}: {what}", case.name)
}

/// Makes a store in which all pages of the case are requested.
fn prepare(run: &Run, subject: &Subject, case: Case, pages: usize) -> Result<Home, String> {
    let home = Home::on_sqlite();
    let urls = home.write("urls", &run.server.urls(case.kind, pages));
    home.run(subject, &["import", &urls])?;
    home.run(subject, &["sync", "--all", "--yes"])?;
    // While the template of their host is learned, pages are converted again.
    for _ in 0..if case.is_second { TO_SETTLE } else { 0 } {
        home.run(subject, &["work", "--drain", "--concurrency", "16"])?;
        home.run(subject, &["sync", "--all", "--yes"])?;
    }
    Ok(home)
}

/// Checks that the measured attempts were those of the case. An older program converts a page that has not changed.
fn check(file: &Path, case: Case, pages: usize, is_new: bool) -> Result<(), String> {
    let older = if is_new || case.change != IDENTICAL.change { case.change } else { "same" };
    let count = || {
        let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let last =
            "SELECT count(*) FROM outcomes WHERE content IN (?1, ?2) AND seq > (SELECT max(seq) - ?3 FROM outcomes)";
        store.query_row(last, (case.change, older, pages as i64), |row| row.get::<_, i64>(0))
    };
    match count().map_err(|error| error.to_string())? {
        found if found == pages as i64 => Ok(()),
        found => Err(format!("{}: {found} of {pages} outcomes are {}", case.name, case.change)),
    }
}

fn add(run: &mut Run, index: usize, case: Case, concurrency: usize, usage: Usage) {
    let pages = case.pages(run.options.pages) as f64;
    let figure = |what, unit| Figure::new(Group::Sync, name(case, concurrency, what), unit);
    run.sheet.add(index, figure("CPU a document", "ms"), usage.cpu * 1e3 / pages);
    run.sheet.add(index, figure("documents a second", "1/s"), pages / usage.wall);
    // The goal is for pages of articles with every slot in use.
    let limit = (concurrency == 64).then_some(90.0);
    run.sheet.add(index, figure("peak memory", "MB").at_most_if(limit), usage.peak);
}

/// Counts the system calls of each case, in runs of their own: strace slows the program.
fn trace(run: &mut Run) -> Result<(), String> {
    if !is_installed("strace") {
        run.sheet.note("no system calls: strace is not installed");
        return Ok(());
    }
    for index in 0..run.subjects.len() {
        for (case, concurrency) in CASES {
            let pages = case.traced(run.options.pages);
            let home = prepare(run, &run.subjects[index], case, pages)?;
            let counts = home.write("strace", "");
            let (program, slots) = (run.subjects[index].program.display().to_string(), concurrency.to_string());
            let work = [&program, "work", "--drain", "--concurrency", &slots];
            home.measure(&[&["strace", "-f", "-c", "-o", &counts], &work[..]].concat(), &[0])?;
            let text = std::fs::read_to_string(&counts).map_err(|error| error.to_string())?;
            let calls = total_calls(&text).ok_or("strace printed no total")?;
            let figure = Figure::new(Group::Sync, name(case, concurrency, "system calls a document"), "");
            run.sheet.add(index, figure, calls / pages as f64);
        }
    }
    Ok(())
}

/// Returns the number of calls in the last line of strace's summary: share, seconds, microseconds a call, calls.
fn total_calls(summary: &str) -> Option<f64> {
    let line = summary.lines().rfind(|line| line.trim_end().ends_with("total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
