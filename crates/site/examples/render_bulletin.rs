//! Writes the bulletin of a made-up night into a folder, to look at:
//! `cargo run -p tallyproof-site --example render_bulletin -- OUT [STATIONS] [drill|official] [corrected|council|mega]`.

#[path = "../tests/it/demo.rs"]
mod demo;

use std::{env, error::Error, fs, path::Path, time::Instant};

use tallyproof_record::Phase;
use tallyproof_site::{Lang, bulletin};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let out = arguments.next().ok_or("name the folder to write to")?;
    let stations = arguments.next().map_or(Ok(640), |number| number.parse())?;
    let phase = arguments.next().and_then(|word| word.parse().ok()).unwrap_or(Phase::Drill);
    let night = match arguments.next().as_deref() {
        Some("mega") => demo::mega(),
        Some("council") => demo::council(stations, phase),
        Some(_) => demo::corrected_night(stations, phase),
        None => demo::night(stations, phase),
    };
    let document = night.document();
    let shown = night.bulletin(&document);
    fs::create_dir_all(&out)?;
    let write = |name: &str, bytes: Vec<u8>, started: Instant| {
        println!("{name}: {} bytes, {:?}", bytes.len(), started.elapsed());
        fs::write(Path::new(&out).join(name), bytes)
    };
    let started = Instant::now();
    write("bulletin.html", bulletin::html(&shown), started)?;
    for lang in Lang::ALL {
        let started = Instant::now();
        write(bulletin::pdf_name(lang), bulletin::pdf(&shown, lang)?, started)?;
    }
    Ok(())
}
