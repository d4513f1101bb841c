//! Commands on many documents: imports of growing files into new stores, lists of all documents as JSON, and how their
//! costs grow; requests and cancellations of syncs of all documents.

use super::groups::Group;
use super::process::{Home, Usage};
use super::sheet::Figure;
use super::subject::Run;
use std::fmt::Write as _;

/// Number of documents at which the goals of an import hold; they are in proportion for others.
const GOAL_AT: f64 = 1_000_000.0;
/// Most documents whose syncs are requested.
const MOST: usize = 100_000;

/// Returns a file for `import` with this many URLs on a thousand hosts.
pub fn urls(documents: usize) -> String {
    let mut text = String::new();
    for number in 0..documents {
        let _ = writeln!(text, "https://h{}.test/pages/{number}", number % 1_000);
    }
    text
}

/// Measures every size in every round.
pub fn measure(run: &mut Run) -> Result<(), String> {
    let sizes = run.options.sizes();
    for index in run.turns() {
        for size in &sizes {
            let home = Home::on_sqlite();
            let file = home.write("urls", &urls(*size));
            let import = home.run(&run.subjects[index], &["import", &file])?;
            if *size == run.options.documents {
                add_import(run, index, import);
            }
            let list = home.run(&run.subjects[index], &["list", "--json"])?;
            for (verb, usage) in [("import", import), ("list --json", list)] {
                run.sheet.add(index, per_document(verb, *size), usage.cpu * 1e6 / *size as f64);
            }
        }
    }
    for index in 0..run.subjects.len() {
        for verb in ["import", "list --json"] {
            for pair in sizes.windows(2) {
                let cost = |size| run.sheet.value(Group::Growth, &name(verb, size), index).ok_or("a size is missing");
                // The costs are those of one document.
                let slope = 1.0 + (cost(pair[1])? / cost(pair[0])?).ln() / (pair[1] as f64 / pair[0] as f64).ln();
                let name = format!("{verb}: exponent of the growth from {} to {}", pair[0], pair[1]);
                run.sheet.add(index, Figure::new(Group::Growth, name, ""), slope);
            }
        }
    }
    Ok(())
}

fn name(verb: &str, size: usize) -> String {
    format!("{verb}, {size}: CPU a document")
}

fn per_document(verb: &str, size: usize) -> Figure {
    Figure::new(Group::Growth, name(verb, size), "us")
}

fn add_import(run: &mut Run, index: usize, usage: Usage) {
    let documents = run.options.documents;
    let share = documents as f64 / GOAL_AT;
    let figure = |what, unit| Figure::new(Group::Growth, format!("import of {documents}: {what}"), unit);
    run.sheet.add(index, figure("CPU", "s").at_most(40.0 * share), usage.cpu);
    run.sheet.add(index, figure("written", "MB").at_most(2_000.0 * share), usage.written);
    run.sheet.add(index, figure("peak memory", "MB").at_most(60.0), usage.peak);
    run.sheet.add(index, figure("wall", "s"), usage.wall);
}

/// Measures a request and its cancellation in every round.
pub fn measure_requests(run: &mut Run) -> Result<(), String> {
    let documents = run.options.documents.min(MOST);
    for index in run.turns() {
        let home = Home::on_sqlite();
        let file = home.write("urls", &urls(documents));
        home.run(&run.subjects[index], &["import", &file])?;
        for verb in ["sync", "cancel"] {
            let usage = home.run(&run.subjects[index], &[verb, "--all", "--yes"])?;
            let figure =
                |what, unit| Figure::new(Group::Bulk, format!("{verb} --all --yes of {documents}: {what}"), unit);
            run.sheet.add(index, figure("CPU a document", "us"), usage.cpu * 1e6 / documents as f64);
            run.sheet.add(index, figure("peak memory", "MB").at_most(60.0), usage.peak);
            run.sheet.add(index, figure("wall", "s"), usage.wall);
        }
    }
    Ok(())
}
