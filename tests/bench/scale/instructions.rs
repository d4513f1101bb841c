//! Instructions of a sync, which no other program on the machine can change. Valgrind counts those of the whole
//! program; a run without pages is subtracted.

use super::groups::Group;
use super::machine::is_installed;
use super::pages::PageKind;
use super::process::Home;
use super::sheet::Figure;
use super::subject::{Run, Subject};

/// Most jobs of a counted run.
const JOBS: usize = 256;

/// Counts the instructions of syncs of tiny pages, which are those of claim, fetch and finish, and of articles, to which
/// the conversion is added.
pub fn measure(run: &mut Run) -> Result<(), String> {
    if !is_installed("valgrind") {
        run.sheet.note("no instructions: valgrind is not installed");
        return Ok(());
    }
    let jobs = run.options.pages.min(JOBS);
    for index in 0..run.subjects.len() {
        let millions = match count_all(run, &run.subjects[index], jobs) {
            Ok(millions) => millions,
            // A valgrind that is older than the kernel or the processor cannot run every program.
            Err(failure) => {
                run.sheet.note(format!("no instructions: {failure}"));
                continue;
            }
        };
        for (name, value) in ["claim, fetch of 22 bytes, finish", "sync of an article"].into_iter().zip(millions) {
            let name = format!("{name}, mean of {jobs} jobs");
            run.sheet.add(index, Figure::new(Group::Instructions, name, "million"), value);
        }
    }
    Ok(())
}

/// Returns the millions of instructions of a tiny page's sync and of an article's.
fn count_all(run: &Run, subject: &Subject, jobs: usize) -> Result<[f64; 2], String> {
    let nothing = count(run, subject, PageKind::Tiny, 0)?;
    let mean = |total: f64| (total - nothing) / jobs as f64 / 1e6;
    Ok([mean(count(run, subject, PageKind::Tiny, jobs)?), mean(count(run, subject, PageKind::Whole, jobs)?)])
}

/// Returns the instructions of `work --drain` with this many jobs.
fn count(run: &Run, subject: &Subject, kind: PageKind, jobs: usize) -> Result<f64, String> {
    let home = Home::on_sqlite();
    let urls = home.write("urls", &run.server.urls(kind, jobs));
    home.run(subject, &["import", &urls])?;
    if jobs > 0 {
        home.run(subject, &["sync", "--all", "--yes"])?;
    }
    let (out, log) = (home.write("callgrind", ""), home.write("valgrind", ""));
    let (out, log) = (format!("--callgrind-out-file={out}"), format!("--log-file={log}"));
    let program = subject.program.display().to_string();
    let work = [&program, "work", "--drain", "--concurrency", "16"];
    home.measure(&[&["valgrind", "--tool=callgrind", &out, &log], &work[..]].concat(), &[0])?;
    let log = log.trim_start_matches("--log-file=");
    let text = std::fs::read_to_string(log).map_err(|error| error.to_string())?;
    let total = text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    total.ok_or_else(|| format!("valgrind printed no count: {text}"))
}
