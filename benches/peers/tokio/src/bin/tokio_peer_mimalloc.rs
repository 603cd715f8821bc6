//! The tokio peer on mimalloc.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    measure::main::<tokio_peer::Tokio>("mimalloc")
}
