//! Scripts of drills, and recipes of made-up elections.

use tallyproof_drill::script::{self, Fault, Flood, Script};
use tallyproof_drill::synthetic::{RECIPE_FILE, Recipe, expand};
use tallyproof_record::Problem;
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::results;

/// A recipe of more stations takes longer than a fuzzer has.
const STATIONS: u32 = 100;

/// A drill script: what parses is within every limit, and every mistake has a code that is documented.
pub fn script(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Script::parse(text, "script") {
        Ok(script) => check_limits(&script),
        Err(problems) => check_problems(&problems),
    }
}

fn check_problems(problems: &[Problem]) {
    assert!(!problems.is_empty());
    assert!(problems.iter().all(|problem| script::CODES.iter().any(|(code, _)| *code == problem.code)));
}

/// A recipe: what parses makes a package without a mistake, with figures for every station.
pub fn recipe(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Recipe::parse(text, RECIPE_FILE) {
        Ok(recipe) if recipe.stations() <= STATIONS => check_package(text),
        Ok(_) => {}
        Err(problems) => check_problems(&problems),
    }
}

fn check_package(recipe: &str) {
    let head = include_str!("../../../examples/mini/election.toml");
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    let made = expand(&Files::from([file("election.toml", head), file(RECIPE_FILE, recipe)]));
    let read = made.map(|made| (package::parse(&made.files), made.results));
    assert!(matches!(&read, Ok((Ok(_), _))), "a recipe makes a package with mistakes: {read:?}");
    let Ok((Ok(election), figures)) = read else { return };
    assert_eq!(results::parse(&results::render(&figures, &election), &election), Ok(figures));
}

fn check_limits(script: &Script) {
    assert!((1..=script::MAX_PATHS).contains(&script.paths.len()));
    assert!(script.faults.len() <= script::MAX_FAULTS && script.floods.len() <= script::MAX_FLOODS);
    assert!(script.floods.iter().map(Flood::most).sum::<u64>() <= script::MAX_HOSTILE);
    assert!(script.floods.iter().all(|flood| flood.during.until <= script::MAX_TIME));
    assert!(script.gives_up() <= 2 * script::MAX_TIME);
    for fault in &script.faults {
        match fault {
            Fault::Path { path, during, .. } => {
                assert!(*path < script.paths.len() && during.until <= script::MAX_TIME);
            }
            Fault::KillCentre { at } => assert!(*at <= script::MAX_TIME),
        }
    }
    let names = script.paths.iter().map(|path| &path.name).chain([&script.name]);
    assert!(names.into_iter().all(|name| !name.contains(['/', '\\', '\n']) && !name.starts_with('.')));
}
