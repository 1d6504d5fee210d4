//! The binary: reads the command line and leaves the rest to the library.

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use pixel_pipeline::cli::{self, Cli};
use tokio::runtime::Builder;

/// A delivery is some fifty short-lived allocations, in which glibc's malloc spends a seventh of
/// the service's time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // On the single core of a small Cloud Run instance, a second thread only costs.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut runtime = if cores > 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    match runtime.enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(cli)),
        Err(error) => {
            eprintln!("error: cannot start the runtime: {error}");
            ExitCode::FAILURE
        }
    }
}
