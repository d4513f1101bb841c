//! Measures the program as a user runs it: the costs of syncs, imports, reads and the console, from processes of the
//! real binary. `tests/bench/run` builds and starts it; its options are in `scale/options.rs`.
//!
//! The benchmark starts itself for the parts that need processes of their own: `serve` answers with pages, `delay` is a
//! slow line to a server, `child` starts and measures one process, `parts` does the work of a sync without the program.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so by its panic")]

#[path = "scale/article.rs"]
mod article;
#[path = "scale/console.rs"]
mod console;
#[path = "scale/delay.rs"]
mod delay;
#[path = "scale/fill.rs"]
mod fill;
#[path = "scale/groups.rs"]
mod groups;
#[path = "scale/growth.rs"]
mod growth;
#[expect(dead_code, unused_macros, reason = "each benchmark uses a part of it")]
mod harness;
#[path = "scale/instructions.rs"]
mod instructions;
#[path = "scale/machine.rs"]
mod machine;
#[path = "scale/notices.rs"]
mod notices;
#[path = "scale/options.rs"]
mod options;
#[path = "scale/pages.rs"]
mod pages;
#[path = "scale/parts.rs"]
mod parts;
#[path = "scale/peer_builds.rs"]
mod peer_builds;
#[path = "scale/peers.rs"]
mod peers;
#[path = "scale/process.rs"]
mod process;
#[path = "../support/pty.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod pty;
#[path = "scale/reads.rs"]
mod reads;
#[path = "scale/recorded.rs"]
mod recorded;
#[path = "scale/remote.rs"]
mod remote;
#[path = "scale/server_time.rs"]
mod server_time;
#[path = "scale/sheet.rs"]
mod sheet;
#[path = "scale/subject.rs"]
mod subject;
#[path = "scale/syncs.rs"]
mod syncs;

use clap::Parser as _;
use harness::limit;
use harness::postgres;
use options::{Options, StoreKind};
use pages::PageServer;
use sheet::Sheet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use subject::{Run, Subject};

fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("serve") => pages::serve(),
        Some("delay") => delay::serve(words),
        Some("child") => process::measure_child(words),
        Some("parts") => parts::print(Path::new(&words.next().unwrap())),
        _ => return tokio::runtime::Runtime::new().unwrap().block_on(measure(Options::parse())),
    }
    ExitCode::SUCCESS
}

async fn measure(options: Options) -> ExitCode {
    let program = options.binary.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_quarterdeck")));
    let facts = machine::facts(&options, &program);
    let programs = [Some(program), options.before.clone()].into_iter().flatten();
    let subjects: Vec<Subject> = programs.map(|program| Subject { program }).collect();
    let missing = subjects.iter().find(|subject| !subject.program.is_file());
    if let Some(missing) = missing {
        eprintln!("there is no program {}", missing.program.display());
        return ExitCode::from(2);
    }
    let mut sheet = Sheet::default();
    let mut stores = vec![StoreKind::Sqlite, StoreKind::Postgres];
    stores.retain(|store| options.selects_store(*store));
    if stores.contains(&StoreKind::Postgres) && !postgres::is_available() {
        stores.retain(|store| *store != StoreKind::Postgres);
        sheet.note("nothing on PostgreSQL: it is not installed");
    }
    let json = options.json.clone();
    let mut run = Run { options, subjects, stores, server: PageServer::start(), sheet };
    // After each group, so that an interrupted run keeps its figures.
    let save = |run: &Run| {
        let Some(file) = &json else { return };
        let mut whole = facts.clone();
        whole.as_object_mut().unwrap().extend(run.sheet.json().as_object().unwrap().clone());
        std::fs::write(file, serde_json::to_string_pretty(&whole).unwrap() + "\n").unwrap();
    };
    let complete = groups::measure(&mut run, save).await;
    save(&run);
    println!("{}{}", machine::head(&facts), run.sheet.text());
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
