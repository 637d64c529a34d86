//! Writes the report of a made-up drill, to look at:
//! `cargo run -p tallyproof-site --example render_drill -- FILE [STATIONS]`.

#[path = "../tests/it/drill_demo.rs"]
mod drill_demo;

use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let file = arguments.next().ok_or("name the file to write")?;
    let stations = arguments.next().map_or(Ok(3_000), |number| number.parse())?;
    let page = tallyproof_site::drill::render(&drill_demo::night(stations));
    println!("{} bytes", page.len());
    fs::write(file, page)?;
    Ok(())
}
