//! Instructions of a sync, an import and a list, which no other program on the machine can change. Valgrind counts those
//! of the whole program; a run with nothing to do is subtracted.

use super::groups::Group;
use super::growth::urls;
use super::machine::is_installed;
use super::pages::PageKind;
use super::process::Home;
use super::recorded::{self, Figures};
use super::sheet::Figure;
use super::subject::{Run, Subject};

/// Most jobs of a counted run.
const JOBS: usize = 256;
/// Documents of a counted import and list.
const DOCUMENTS: usize = 4_000;

/// Counts the instructions of syncs of tiny pages, which are those of claim, fetch and finish, of articles, to which
/// the conversion is added, of an import and of a list. With `--check` or `--record`, those of the first program are
/// compared with the recorded ones.
pub fn measure(run: &mut Run) -> Result<(), String> {
    if !is_installed("valgrind") {
        run.sheet.note("no instructions: valgrind is not installed");
        return if run.options.check || run.options.record { Err("nothing to check".to_owned()) } else { Ok(()) };
    }
    let jobs = run.options.pages.min(JOBS);
    let mut counted = None;
    for index in 0..run.subjects.len() {
        let figures = match count_all(run, &run.subjects[index], jobs) {
            Ok(figures) => figures,
            // A valgrind that is older than the kernel or the processor cannot run every program.
            Err(failure) => {
                run.sheet.note(format!("no instructions: {failure}"));
                continue;
            }
        };
        for (name, value) in &figures {
            run.sheet.add(index, Figure::new(Group::Instructions, name, "million"), *value);
        }
        if index == 0 {
            counted = Some(figures);
        }
    }
    if run.options.record || run.options.check {
        let counted = counted.ok_or("nothing to check")?;
        let note = if run.options.record { recorded::record(&counted)? } else { recorded::check(&counted)? };
        run.sheet.note(note);
    }
    Ok(())
}

/// Returns the millions of instructions of each figure.
fn count_all(run: &Run, subject: &Subject, jobs: usize) -> Result<Figures, String> {
    let nothing = count_syncs(run, subject, PageKind::Tiny, 0)?;
    let mean = |total: f64, count: usize| (total - nothing) / count as f64 / 1e6;
    let tiny = mean(count_syncs(run, subject, PageKind::Tiny, jobs)?, jobs);
    let article = mean(count_syncs(run, subject, PageKind::Whole, jobs)?, jobs);
    let (import, list) = count_verbs(subject)?;
    Ok(vec![
        (format!("claim, fetch of 22 bytes, finish, mean of {jobs} jobs"), tiny),
        (format!("sync of an article, mean of {jobs} jobs"), article),
        (format!("import, mean of {DOCUMENTS} documents"), import),
        (format!("list --json, mean of {DOCUMENTS} documents"), list),
    ])
}

/// Returns the instructions of `work --drain` with this many jobs.
fn count_syncs(run: &Run, subject: &Subject, kind: PageKind, jobs: usize) -> Result<f64, String> {
    let home = Home::on_sqlite();
    let urls = home.write("urls", &run.server.urls(kind, jobs));
    home.run(subject, &["import", &urls])?;
    if jobs > 0 {
        home.run(subject, &["sync", "--all", "--yes"])?;
    }
    count(&home, subject, &["work", "--drain", "--concurrency", "16"])
}

/// Returns the millions of instructions, for each document, of an import into a store that exists, and of a list.
fn count_verbs(subject: &Subject) -> Result<(f64, f64), String> {
    let home = Home::on_sqlite();
    let one = home.write("one", "https://h.test/one\n");
    home.run(subject, &["import", &one])?;
    let file = home.write("urls", &urls(DOCUMENTS));
    let mut counts = Vec::new();
    for verb in [&["import", one.as_str()][..], &["list", "--json"], &["import", &file], &["list", "--json"]] {
        counts.push(count(&home, subject, verb)?);
    }
    let mean = |more: usize, less: usize| (counts[more] - counts[less]) / DOCUMENTS as f64 / 1e6;
    Ok((mean(2, 0), mean(3, 1)))
}

/// Returns the instructions of a command.
pub fn count(home: &Home, subject: &Subject, args: &[&str]) -> Result<f64, String> {
    let (out, log) = (home.write("callgrind", ""), home.write("valgrind", ""));
    let (out, log) = (format!("--callgrind-out-file={out}"), format!("--log-file={log}"));
    let program = subject.program.display().to_string();
    home.measure(&[&["valgrind", "--tool=callgrind", &out, &log, &program], args].concat(), &[0])?;
    let log = log.trim_start_matches("--log-file=");
    let text = std::fs::read_to_string(log).map_err(|error| error.to_string())?;
    let total = text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    total.ok_or_else(|| format!("valgrind printed no count: {text}"))
}
