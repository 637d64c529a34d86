//! Writes the pages of a made-up night into a folder, to look at:
//! `cargo run -p tallyproof-site --example render_demo -- OUT [STATIONS] [drill|official] [corrected]`.

#[path = "../tests/it/demo.rs"]
mod demo;

use std::{env, error::Error, fs, path::Path, time::Instant};

use tallyproof_count::bundle;
use tallyproof_record::Phase;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let out = arguments.next().ok_or("name the folder to write to")?;
    let stations = arguments.next().map_or(Ok(640), |number| number.parse())?;
    let phase = arguments.next().and_then(|word| word.parse().ok()).unwrap_or(Phase::Drill);
    let night = match arguments.next() {
        Some(_) => demo::corrected_night(stations, phase),
        None => demo::night(stations, phase),
    };
    let started = Instant::now();
    let pages = tallyproof_site::render(&night.input());
    let bytes: usize = pages.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{} files, {bytes} bytes, {:?}", pages.len(), started.elapsed());
    let definition = &night.ledger.definition().canonical().files;
    let election = definition.iter().map(|(name, bytes)| (format!("election/{name}"), bytes.clone()));
    let index = bundle::index_files(&night.ledger).map(|(path, bytes)| (path.to_owned(), bytes));
    let checkpoint = (bundle::CHECKPOINT.to_owned(), night.checkpoint().into_bytes());
    for (path, bytes) in pages.into_iter().chain(election).chain(index).chain([checkpoint]) {
        let path = Path::new(&out).join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}
