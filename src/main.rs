//! The binary: sets up what a process needs once (TLS provider, async runtime), then runs the command line.

use quarterdeck::cli::completions::answer;
use quarterdeck::cli::exit::Exit;
use quarterdeck::cli::limits::raise_open_files;
use quarterdeck::cli::output::problem;
use quarterdeck::cli::{parse, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    if answer() {
        return ExitCode::SUCCESS;
    }
    let cli = parse();
    raise_open_files();
    // The TLS provider of this process. Nothing else installs one, so the call cannot fail.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            problem(format!("quarterdeck: cannot start: {error}"));
            return Exit::Unreachable.into();
        }
    };
    let done = runtime.block_on(run(cli));
    // A blocking read of a terminal that nobody answers must not delay the exit.
    runtime.shutdown_background();
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            if let Some(message) = error.message() {
                problem(format!("quarterdeck: {message}"));
            }
            error.exit().into()
        }
    }
}
