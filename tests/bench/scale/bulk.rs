//! Requests and cancellations of syncs of all documents of a store.

use super::groups::Group;
use super::growth::urls;
use super::process::Home;
use super::sheet::Figure;
use super::subject::Run;

/// Most documents of this group.
const MOST: usize = 100_000;

/// Measures both commands in every round.
pub fn measure(run: &mut Run) -> Result<(), String> {
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
