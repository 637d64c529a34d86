//! A made-up country: its areas, and its register.

use std::fmt::Write as _;
use std::ops::Range;

use super::dice::{Dice, split_among_all};
use super::recipe::{Recipe, VotedOn};

/// Voters on a roll.
const ROLLS: Range<u32> = 100..1_001;
/// Most contests of names in one state's mixed council.
const DISTRICTS: usize = 6;

/// States, municipalities and stations.
pub(super) struct Country {
    pub(super) states: Vec<State>,
    pub(super) municipalities: Vec<Municipality>,
    /// In the order of the register, which goes round the municipalities: the first stations of it are a cross-section.
    pub(super) stations: Vec<Station>,
}

/// A state.
pub(super) struct State {
    /// Its number, from 1.
    pub(super) no: usize,
    /// Places of its municipalities.
    pub(super) municipalities: Range<usize>,
    /// Districts that elect by name; none where the council is one of lists alone.
    pub(super) districts: usize,
    pub(super) stations: u32,
}

/// A municipality.
pub(super) struct Municipality {
    /// Its number, from 1.
    pub(super) no: usize,
    /// Place of its state.
    pub(super) state: usize,
    /// Number of its district in the state, from 1.
    pub(super) district: Option<usize>,
    pub(super) stations: u32,
}

/// A station.
pub(super) struct Station {
    /// Place of its municipality.
    pub(super) municipality: usize,
    /// Its number in the municipality, from 1.
    pub(super) no: u32,
    /// Those who may vote there.
    pub(super) voters: u32,
    pub(super) roll: Roll,
}

/// What the register says of a station's voters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Roll {
    Stated,
    Unknown,
    Special,
}

impl Country {
    pub(super) fn new(recipe: &Recipe) -> Self {
        let mut dice = Dice::new(recipe.seed, "country", 0);
        // The largest state has many times the voters of the smallest, and so have the municipalities of a state.
        let size = |place: u32, head_start: u32, dice: &mut Dice| {
            u64::from(1_000_000 / (place + head_start)) * u64::from(dice.around(100, 30))
        };
        let sizes: Vec<u64> = (0..recipe.states).map(|place| size(place, 3, &mut dice)).collect();
        let largest = sizes.iter().max().copied().unwrap_or(0);
        let softened: Vec<u64> = sizes.iter().map(|size| size + largest / 3).collect();
        let counts = split_among_all(recipe.municipalities, &softened);
        let mut weights = Vec::new();
        for (&count, &state) in counts.iter().zip(&sizes) {
            let within: Vec<u64> = (0..count).map(|place| size(place, 2, &mut dice)).collect();
            let sum = within.iter().sum::<u64>().max(1);
            weights.extend(within.into_iter().map(|size| size * (state / 100) / (sum / 10_000).max(1)));
        }
        let stations = split_among_all(recipe.stations, &weights);
        let mut country = Self { states: Vec::new(), municipalities: Vec::new(), stations: Vec::new() };
        let mut rest = stations.as_slice();
        for count in counts {
            let (own, others) = rest.split_at_checked(count as usize).unwrap_or((rest, &[]));
            country.add_state(own, recipe.voted_on);
            rest = others;
        }
        country.stations = register(recipe, &country.municipalities);
        country
    }

    /// Adds a state whose municipalities have so many stations each.
    fn add_state(&mut self, stations: &[u32], voted_on: VotedOn) {
        let (state, first) = (self.states.len(), self.municipalities.len());
        let mixed = voted_on == VotedOn::EveryOffice && state % 2 == 1 && stations.len() > 1;
        let districts = if mixed { (stations.len() / 3).clamp(2, DISTRICTS) } else { 0 };
        for (place, &stations) in stations.iter().enumerate() {
            let district = (districts > 0).then(|| 1 + place % districts);
            self.municipalities.push(Municipality { no: first + place + 1, state, district, stations });
        }
        let municipalities = first..self.municipalities.len();
        self.states.push(State { no: state + 1, municipalities, districts, stations: stations.iter().sum() });
    }

    pub(super) fn areas(&self) -> String {
        let mut out = format!("id,parent,name,kind\n{ALL},,All areas,country\n");
        for state in &self.states {
            let _ = writeln!(out, "{0},{ALL},State {1:02},state", state.id(), state.no);
            for district in 1..=state.districts {
                let (id, no) = (state.id(), state.no);
                let _ = writeln!(
                    out,
                    "{0},{id},District {district} of State {no:02},district",
                    state.district_id(district)
                );
            }
            for municipality in self.municipalities.get(state.municipalities.clone()).unwrap_or_default() {
                let parent = municipality.district.map_or_else(|| state.id(), |district| state.district_id(district));
                let _ =
                    writeln!(out, "{},{parent},Municipality {:03},municipality", municipality.id(), municipality.no);
            }
        }
        out
    }

    pub(super) fn register(&self) -> String {
        let mut out = String::from("id,name,area,registered,kind\n");
        for station in &self.stations {
            let Some(municipality) = self.municipalities.get(station.municipality) else { continue };
            let (area, no) = (municipality.id(), station.no);
            let (registered, kind) = match station.roll {
                Roll::Stated => (station.voters.to_string(), "ordinary"),
                Roll::Unknown => (String::new(), "ordinary"),
                Roll::Special => ("0".to_owned(), "special"),
            };
            let name = municipality.no;
            let _ = writeln!(out, "{area}-s{no},Municipality {name:03} station {no},{area},{registered},{kind}");
        }
        out
    }
}

/// Id of the root area.
pub(super) const ALL: &str = "all";

impl State {
    pub(super) fn id(&self) -> String {
        format!("state-{:02}", self.no)
    }

    pub(super) fn district_id(&self, district: usize) -> String {
        format!("{}-d{district}", self.id())
    }
}

impl Municipality {
    pub(super) fn id(&self) -> String {
        format!("m{:03}", self.no)
    }
}

fn register(recipe: &Recipe, municipalities: &[Municipality]) -> Vec<Station> {
    let mut places: Vec<(u32, usize)> = (0..)
        .zip(municipalities)
        .flat_map(|(place, municipality)| (1..=municipality.stations).map(move |no| (no, place)))
        .collect();
    places.sort_unstable();
    let rolls = rolls(recipe);
    // Small places have small stations.
    let usual: Vec<u32> = (0..)
        .zip(municipalities)
        .map(|(no, municipality)| {
            Dice::new(recipe.seed, "usual roll", no).around(300 + municipality.stations.min(300), 150)
        })
        .collect();
    let station = |(place, (no, municipality)): (u32, (u32, usize))| {
        let usual = usual.get(municipality).copied().unwrap_or(ROLLS.start);
        let voters = usual * Dice::new(recipe.seed, "roll", place).around(100, 60) / 100;
        let roll = rolls.get(place as usize).copied().unwrap_or(Roll::Stated);
        Station { municipality, no, voters: voters.clamp(ROLLS.start, ROLLS.end - 1), roll }
    };
    (0..).zip(places).map(station).collect()
}

/// What the register says of each station, drawn by lot.
fn rolls(recipe: &Recipe) -> Vec<Roll> {
    let mut dice = Dice::new(recipe.seed, "rolls", 0);
    let mut lot: Vec<(u32, usize)> =
        (0..recipe.stations as usize).map(|place| (dice.between(0, u32::MAX - 1), place)).collect();
    lot.sort_unstable();
    let mut rolls = vec![Roll::Stated; lot.len()];
    let marks = [(Roll::Special, recipe.special), (Roll::Unknown, recipe.rolls_unknown)];
    let marks = marks.into_iter().flat_map(|(roll, count)| std::iter::repeat_n(roll, count as usize));
    for ((_, place), mark) in lot.into_iter().zip(marks) {
        if let Some(roll) = rolls.get_mut(place) {
            *roll = mark;
        }
    }
    rolls
}
