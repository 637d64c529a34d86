//! `cargo xtask bench gate`: what a hostile request costs the centre, and a night in the middle of thirty million a minute.
//!
//! The floods are this program's own, on loopback or in a network namespace that it makes, bounded in count and time.
//! With arguments it is the program `tallyproof` itself, as which the drill starts it again.

mod bench_world;
#[path = "bench_gate/cost.rs"]
mod cost;
#[path = "bench_gate/injected.rs"]
mod injected;
#[path = "bench_gate/night.rs"]
mod night;
#[path = "bench_gate/refusing_server.rs"]
mod refusing_server;

use std::ffi::OsString;
use std::process::ExitCode;

use bench_world::World;
use tallyproof_cli::sockets::inject::in_private_network;

/// The register of a whole country: a gate with fewer stations would fit into the processor's caches.
const STATIONS: u32 = 30_000;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if args.len() > 1 {
        return tallyproof_cli::run(&args);
    }
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench_gate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> anyhow::Result<()> {
    let world = World::new(STATIONS)?;
    match in_private_network(|network| cost::run(&world, Some(network))) {
        Ok(done) => done?,
        Err(error) => {
            cost::skip(&error);
            cost::run(&world, None)?;
        }
    }
    drop(world);
    night::run()
}
