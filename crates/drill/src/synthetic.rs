//! A made-up election of any size, from a recipe (`docs/guide/mega.md`): a country with states and municipalities, what it votes
//! on, and figures for every station that break no rule. It resembles no real election on purpose.
//!
//! Integers only: the same recipe gives the same files on every machine.

mod contests;
mod country;
mod dice;
mod recipe;
mod turnout;

use std::num::NonZeroU32;

use tallyproof_record::Problem;
use tallyproof_record::definition::Election;
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::results::Results;
use toml::de::DeTable;

use crate::keys::Seed;
use crate::section::{Document, keys};
use contests::Contests;
use country::Country;

pub use recipe::{RECIPE_FILE, Recipe, reference};

const HEAD: &str = "election.toml";
/// What a drill's election without a package is called.
const DRILL_HEAD: &str = "format = 1\nid = \"synthetic\"\nname = \"Synthetic election\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\
                          polls_close = \"2026-07-01T18:00:00Z\"\nsource = \"made up from a seed\"\n";

/// The files of a definition without keys, and the figures of all its stations.
#[derive(Clone, Debug)]
pub struct Made {
    /// `election.toml`, `areas.csv`, `stations.csv`, `ballot.csv`.
    pub files: Files,
    /// Every station's figures.
    pub results: Results,
}

/// An election without keys, and the figures of all its stations.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// The definition, in phase drill.
    pub election: Election,
    /// Every station's figures.
    pub results: Results,
}

/// Makes up an election of one contest and this many stations; the same numbers give the same election on every machine.
///
/// # Errors
/// None for any number of stations that a register can hold; the type is that of reading a package.
pub fn election(stations: NonZeroU32, seed: Seed) -> Result<Synthetic, Vec<Problem>> {
    let recipe = Recipe::one_council(stations.get(), seed);
    let files = Files::from([(HEAD.to_owned(), DRILL_HEAD.as_bytes().to_vec())]);
    let made = recipe.make(files);
    Ok(Synthetic { election: package::parse(&made.files)?, results: made.results })
}

/// Makes what a package with a recipe stands for: `election.toml`, to which the contests are appended, and all its other files.
///
/// # Errors
/// Every mistake of the recipe, and every file or contest of the package that the recipe makes.
pub fn expand(found: &Files) -> Result<Made, Vec<Problem>> {
    let recipe = found.get(RECIPE_FILE).map(Vec::as_slice).unwrap_or_default();
    let recipe = std::str::from_utf8(recipe).map_err(|_| {
        vec![Problem::new(keys::SYNTAX, format!("{RECIPE_FILE}:1:1"), "the recipe is not UTF-8; save it as UTF-8")]
    });
    let recipe = recipe.and_then(|text| Recipe::parse(text, RECIPE_FILE));
    let already = made_already(found);
    match recipe {
        Ok(recipe) if already.is_empty() => {
            let head = found.get_key_value(HEAD).map(|(name, bytes)| (name.clone(), bytes.clone()));
            Ok(recipe.make(head.into_iter().collect()))
        }
        Ok(_) => Err(already),
        Err(mut problems) => {
            problems.extend(already);
            Err(problems)
        }
    }
}

/// What stands in the package although the recipe makes it.
fn made_already(found: &Files) -> Vec<Problem> {
    let made = ["areas.csv", "ballot.csv", "stations.csv", "results.csv"];
    let files = made.into_iter().filter(|name| found.contains_key(*name)).map(|name| {
        let what = format!("{RECIPE_FILE} makes this file; remove one of the two");
        Problem::new(keys::MADE, format!("{name}:1:1"), what)
    });
    let head = found.get(HEAD).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let document = Document::new(head, HEAD);
    // Syntax errors are for whoever reads the file.
    let (table, _) = DeTable::parse_recoverable(head);
    for key in table.get_ref().keys().filter(|key| key.get_ref() == "contest") {
        let what = format!("{RECIPE_FILE} makes the contests; remove one of the two");
        document.problem(keys::MADE, key.span().start, what);
    }
    files.chain(document.into_problems()).collect()
}

impl Recipe {
    /// Adds everything to `files`, which hold at most `election.toml` as yet.
    fn make(&self, mut files: Files) -> Made {
        let country = Country::new(self);
        let contests = Contests::new(self, &country);
        // One that is not text is reported as it is, and one that is absent as missing.
        if let Some(head) = files.get_mut(HEAD).filter(|head| std::str::from_utf8(head).is_ok()) {
            head.extend_from_slice(contests.toml().as_bytes());
        }
        let texts =
            [("areas.csv", country.areas()), ("stations.csv", country.register()), ("ballot.csv", contests.ballot())];
        files.extend(texts.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())));
        Made { files, results: turnout::results(self.seed, &country, &contests) }
    }
}

#[cfg(test)]
mod tests;
