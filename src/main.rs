//! The binary: parses the command line and calls the library.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::io::{self, Write as _};
use std::process::ExitCode;

use mimalloc::MiMalloc;
use pixel_pipeline::cli;
use tokio::runtime::Builder;

/// A delivery makes some fifty short-lived allocations. With glibc's malloc they take a seventh of the service's CPU
/// time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    // A second thread makes the service slower on the single core of a small Cloud Run instance.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut runtime = if cores > 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    match runtime.enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(cli)),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: cannot start the async runtime: {error}");
            ExitCode::FAILURE
        }
    }
}
