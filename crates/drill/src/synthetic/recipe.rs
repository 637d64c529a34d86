//! What a made-up election is made from, and the file that says so.

use std::ops::RangeInclusive;

use tallyproof_record::Problem;

use crate::keys::Seed;
use crate::script::MAX_STATIONS;
use crate::section::keys::{self, Table, key};
use crate::section::{Document, Section};

/// The recipe's file in a package.
pub const RECIPE_FILE: &str = "synthetic.toml";

/// More figures than this are for a computer with more memory.
const STATIONS: RangeInclusive<u64> = 1..=200_000;
const STATES: RangeInclusive<u64> = 1..=99;
const MUNICIPALITIES: RangeInclusive<u64> = 1..=9_999;
/// Lists have letters.
const LISTS: RangeInclusive<u64> = 3..=26;
const COUNCIL_LISTS: u32 = 10;

static TOP: Table = Table {
    header: "the recipe",
    about: "Each state votes on a governor and a legislative council, each municipality on a mayor and a council.",
    keys: &[
        key("format", "1", "required", "the format of this file"),
        key("seed", "number", "required", "everything that is drawn follows from it"),
        key("states", "number", "required", "1 to 99"),
        key("municipalities", "number", "required", "at least one for each state, at most 9999"),
        key("stations", "number", "required", "at least one for each municipality, at most 200000"),
        key("lists", "number", "8", "lists that stand in the country, 3 to 26; none stands everywhere"),
        key("rolls_unknown", "number", "0", "stations for which the register states no number of voters"),
        key("special", "number", "0", "stations without a roll of their own"),
    ],
};

/// What a made-up country votes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VotedOn {
    /// Governors, mayors, legislative and municipal councils.
    EveryOffice,
    /// One council of the whole country, without a rule that decides it.
    OneCouncil,
}

/// What a made-up election is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    pub(super) seed: Seed,
    pub(super) states: u32,
    pub(super) municipalities: u32,
    pub(super) stations: u32,
    pub(super) lists: u32,
    pub(super) rolls_unknown: u32,
    pub(super) special: u32,
    pub(super) voted_on: VotedOn,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// Every mistake, each with its place, a code of `docs/spec/checks.md` and what to do.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let doc = Document::new(text, file);
        let table = doc.parse();
        let recipe = read(&Section::new(&doc, &TOP, table.get_ref(), 0));
        let problems = doc.into_problems();
        match recipe {
            Some(recipe) if problems.is_empty() => Ok(recipe),
            _ => Err(problems),
        }
    }

    /// Stations of the register.
    pub fn stations(&self) -> u32 {
        self.stations
    }

    /// What a drill without a package votes on.
    pub(super) fn one_council(stations: u32, seed: Seed) -> Self {
        Self {
            seed,
            states: 3,
            municipalities: 20,
            stations: stations.min(MAX_STATIONS),
            lists: COUNCIL_LISTS,
            rolls_unknown: 0,
            special: 0,
            voted_on: VotedOn::OneCouncil,
        }
    }
}

/// Reads everything before it gives up on anything. `None` only where a problem has been reported.
fn read(top: &Section<'_, '_>) -> Option<Recipe> {
    let format = top.requires("format").number("format", &(0..=u64::MAX));
    if format.is_some_and(|format| format != 1) {
        top.problem_at("format", keys::FORMAT, "this program reads recipes of format 1; update one of the two");
    }
    let seed = top.requires("seed").number("seed", &(0..=u64::MAX));
    let states = number(top.requires("states"), "states", &STATES);
    let municipalities = number(top.requires("municipalities"), "municipalities", &MUNICIPALITIES);
    let stations = number(top.requires("stations"), "stations", &STATIONS);
    let lists = if top.has("lists") { number(top, "lists", &LISTS) } else { Some(8) };
    let some = |key| if top.has(key) { number(top, key, &(0..=*STATIONS.end())) } else { Some(0) };
    let (rolls_unknown, special) = (some("rolls_unknown"), some("special"));
    enough(top, ("municipalities", municipalities), ("states", states));
    enough(top, ("stations", stations), ("municipalities", municipalities));
    let marked = rolls_unknown.zip(special).map(|(unknown, special)| unknown + special);
    enough(top, ("stations", stations), ("rolls_unknown` + `special", marked));
    Some(Recipe {
        seed: Seed(seed?),
        states: states?,
        municipalities: municipalities?,
        stations: stations?,
        lists: lists?,
        rolls_unknown: rolls_unknown?,
        special: special?,
        voted_on: VotedOn::EveryOffice,
    })
}

fn number(top: &Section<'_, '_>, key: &'static str, bounds: &RangeInclusive<u64>) -> Option<u32> {
    u32::try_from(top.number(key, bounds)?).ok()
}

/// Reports fewer `many` than `few`.
fn enough(top: &Section<'_, '_>, many: (&'static str, Option<u32>), few: (&str, Option<u32>)) {
    if let (Some(most), Some(least)) = (many.1, few.1)
        && most < least
    {
        let what = format!("`{}` is less than `{}`, which is {least}: raise it", many.0, few.0);
        top.problem_at(many.0, keys::OUT_OF_BOUNDS, what);
    }
}

/// The reference of the recipe's keys (Markdown), for `docs/guide/mega.md`.
pub fn reference() -> String {
    keys::reference(&[("Keys of `synthetic.toml`", &TOP)])
}
