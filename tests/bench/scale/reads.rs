//! Commands that read a large store.

use super::fill::{Filled, WORD, of_kind};
use super::groups::Group;
use super::sheet::Figure;
use super::subject::Run;

/// Columns of `--sort`.
const SORTS: [&str; 8] = ["id", "status", "name", "url", "error", "attempted", "synced", "next"];

/// A command with its goal in seconds of processor time.
struct Case {
    words: Vec<String>,
    goal: Option<f64>,
}

fn cases() -> Vec<Case> {
    let case = |line: &str, goal| Case { words: line.split(' ').map(str::to_owned).collect(), goal };
    let mut cases = vec![case("list --limit 20", None)];
    for sort in SORTS {
        cases.push(case(&format!("list --sort {sort} --limit 20"), None));
        cases.push(case(&format!("list --sort=-{sort} --limit 20"), None));
    }
    cases.extend([
        case("list --filter status:failed --json", Some(2.0)),
        case("list --filter host:h7.test", Some(0.1)),
        case(&format!("list --filter {WORD}"), None),
        case("list --filter status:failed --limit 20", None),
        case("doctor", Some(0.1)),
        case("log --limit 20", None),
        case("sync --filter status:failed --dry-run", None),
    ]);
    cases
}

/// Measures every command on every store, in every round.
pub fn measure(run: &mut Run, filled: &[Filled]) -> Result<(), String> {
    for kind in run.stores.clone() {
        let stores = of_kind(filled, kind);
        for case in cases() {
            let words: Vec<&str> = case.words.iter().map(String::as_str).collect();
            let name = format!("{}, {}", kind.name(), case.words.join(" "));
            // `doctor` reports that nobody runs the queued jobs, and exits with 1.
            let exits: &[i32] = if words == ["doctor"] { &[0, 1] } else { &[0] };
            for index in run.turns() {
                let usage = stores[index].home.run_to(&run.subjects[index], &words, exits)?;
                let cpu = Figure::new(Group::Reads, format!("{name}: CPU"), "s").at_most_if(case.goal);
                run.sheet.add(index, cpu, usage.cpu);
                run.sheet.add(index, Figure::new(Group::Reads, format!("{name}: wall"), "s"), usage.wall);
            }
        }
    }
    Ok(())
}
