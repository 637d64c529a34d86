//! The binary `tallyproof`. Everything is in the library, so that tests and documents see the same commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    tallyproof_cli::run(&std::env::args_os().collect::<Vec<_>>())
}
