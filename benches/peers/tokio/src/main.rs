//! The tokio peer on the system's allocator.

use std::process::ExitCode;

fn main() -> ExitCode {
    measure::main::<tokio_peer::Tokio>("system")
}
