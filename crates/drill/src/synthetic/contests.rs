//! What a made-up country votes on, who stands, and what decides.

use std::fmt::Write as _;

use super::country::{ALL, Country, Municipality, State};
use super::dice::Dice;
use super::recipe::{Recipe, VotedOn};

/// Lists that stand in every municipality.
const EVERYWHERE: usize = 3;
/// Lists whose candidates stand in districts.
const IN_DISTRICTS: usize = 5;
/// How municipal councils are filled: each state has its own rule.
const MUNICIPAL_METHODS: [&str; 3] = ["dhondt", "sainte-lague", "hare"];

/// Every contest in the order of the definition, and who votes in which.
pub(super) struct Contests {
    pub(super) list: Vec<Contest>,
    /// For each municipality, the places of its contests in [`Contests::list`], ascending.
    pub(super) of_municipality: Vec<Vec<usize>>,
}

/// One contest.
pub(super) struct Contest {
    id: String,
    name: String,
    area: String,
    /// The keys of its `[contest.decision]`; empty where nothing decides it.
    decision: String,
    pub(super) lines: Vec<Line>,
}

/// One ballot line.
pub(super) struct Line {
    /// Which list's card it is.
    pub(super) list: usize,
    /// Number of the candidate that it names, from 1; none where the list itself stands.
    candidate: Option<usize>,
    /// How well the candidate does compared with the list, in per cent.
    pub(super) appeal: u32,
}

/// What tells the draws of one office from those of another.
#[derive(Clone, Copy)]
struct Office {
    purpose: &'static str,
    most_candidates: u32,
}

const GOVERNOR: Office = Office { purpose: "governor", most_candidates: 6 };
const MAYOR: Office = Office { purpose: "mayor", most_candidates: 5 };

impl Contests {
    pub(super) fn new(recipe: &Recipe, country: &Country) -> Self {
        let mut contests = Self { list: Vec::new(), of_municipality: vec![Vec::new(); country.municipalities.len()] };
        let all = 0..country.municipalities.len();
        match recipe.voted_on {
            VotedOn::OneCouncil => contests.add(all, one_council(recipe)),
            VotedOn::EveryOffice => contests.add_offices(recipe, country),
        }
        contests
    }

    fn add(&mut self, voters: impl IntoIterator<Item = usize>, contest: Contest) {
        for municipality in voters {
            if let Some(own) = self.of_municipality.get_mut(municipality) {
                own.push(self.list.len());
            }
        }
        self.list.push(contest);
    }

    fn add_offices(&mut self, recipe: &Recipe, country: &Country) {
        let lists = recipe.lists as usize;
        let numbered = || country.municipalities.iter().enumerate();
        let local: Vec<Vec<usize>> =
            (0..).zip(&country.municipalities).map(|(no, _)| local_lists(recipe, no)).collect();
        for (no, state) in (0..).zip(&country.states) {
            let lines = named(recipe, GOVERNOR, no, 0..lists);
            self.add(state.municipalities.clone(), governor(state, lines));
        }
        for ((no, (place, municipality)), local) in (0..).zip(numbered()).zip(&local) {
            let lines = named(recipe, MAYOR, no, local.iter().copied());
            self.add([place], mayor(municipality, lines));
        }
        for state in &country.states {
            self.add(state.municipalities.clone(), legislative(state, lists));
        }
        for (no, state) in (0..).zip(&country.states) {
            for district in 1..=state.districts {
                let voters = numbered().filter(|(_, m)| m.state + 1 == state.no && m.district == Some(district));
                let voters: Vec<usize> = voters.map(|(place, _)| place).collect();
                self.add(voters, nominal(recipe, no, state, district));
            }
        }
        for ((place, municipality), local) in numbered().zip(&local) {
            self.add([place], municipal(municipality, local));
        }
    }

    /// `[[contest]]` tables, to be appended to `election.toml`.
    pub(super) fn toml(&self) -> String {
        let mut out = String::new();
        for Contest { id, name, area, decision, .. } in &self.list {
            let _ = write!(
                out,
                "\n[[contest]]\nid = \"{id}\"\nname = \"{name}\"\narea = \"{area}\"\nfigures = [\"blank\", \"null\", \"voters\"]\n"
            );
            if !decision.is_empty() {
                let _ = write!(out, "\n[contest.decision]\n{decision}");
            }
        }
        out
    }

    pub(super) fn ballot(&self) -> String {
        let mut out = String::from("contest,line,name,candidate,candidate_name,party,party_name\n");
        for Contest { id, lines, .. } in &self.list {
            for line in lines {
                let (list, name) = (list_id(line.list), list_name(line.list));
                let _ = match line.candidate {
                    Some(no) => writeln!(out, "{id},{list},{name},candidate-{no},Candidate {no},{list},{name}"),
                    None => writeln!(out, "{id},{list},{name},,,,"),
                };
            }
        }
        out
    }
}

fn letter(list: usize) -> char {
    u8::try_from(list).map_or('?', |list| char::from(b'a'.saturating_add(list)))
}

fn list_id(list: usize) -> String {
    format!("list-{}", letter(list))
}

fn list_name(list: usize) -> String {
    format!("List {}", letter(list).to_ascii_uppercase())
}

/// Lists that stand in a municipality: the large ones, and some of the others.
fn local_lists(recipe: &Recipe, no: u32) -> Vec<usize> {
    let mut dice = Dice::new(recipe.seed, "local lists", no);
    (0..recipe.lists as usize).filter(|&list| dice.between(0, 9) < 7 || list < EVERYWHERE).collect()
}

/// Lines of several lists that stand behind fewer candidates.
fn named(recipe: &Recipe, office: Office, no: u32, lists: impl Iterator<Item = usize>) -> Vec<Line> {
    let mut dice = Dice::new(recipe.seed, office.purpose, no);
    let candidates = dice.between(2, office.most_candidates);
    let appeals: Vec<u32> = (0..candidates).map(|_| dice.around(100, 40)).collect();
    let line = |(place, list): (u32, usize)| {
        let candidate = if place < candidates { place } else { dice.between(0, candidates - 1) } as usize;
        Line { list, candidate: Some(candidate + 1), appeal: appeals.get(candidate).copied().unwrap_or(100) }
    };
    (0..).zip(lists).map(line).collect()
}

fn of_lists(lists: impl IntoIterator<Item = usize>) -> Vec<Line> {
    lists.into_iter().map(|list| Line { list, candidate: None, appeal: 100 }).collect()
}

fn one_council(recipe: &Recipe) -> Contest {
    Contest {
        id: "council".into(),
        name: "Council".into(),
        area: ALL.into(),
        decision: String::new(),
        lines: of_lists(0..recipe.lists as usize),
    }
}

const MOST_VOTES: &str = "type = \"plurality\"\nseats = 1\n";

fn governor(state: &State, lines: Vec<Line>) -> Contest {
    let (id, name) = (format!("governor-{:02}", state.no), format!("Governor of State {:02}", state.no));
    Contest { id, name, area: state.id(), decision: MOST_VOTES.into(), lines }
}

fn mayor(municipality: &Municipality, lines: Vec<Line>) -> Contest {
    let no = municipality.no;
    let (id, name) = (format!("mayor-{no:03}"), format!("Mayor of Municipality {no:03}"));
    Contest { id, name, area: municipality.id(), decision: MOST_VOTES.into(), lines }
}

/// The states' councils have many rules between them: methods, thresholds, alliances, and seats won by name.
fn legislative(state: &State, lists: usize) -> Contest {
    let seats = 9 + 2 * (state.stations / 200).min(15);
    let mut decision = format!("type = \"lists\"\nseats = {seats}\nties = [\"more-votes\"]\n");
    let (method, rest) = match state.no % 8 {
        1 => ("dhondt", "alliances = [[\"list-b\", \"list-c\"]]\ninside = \"hare\"\n".to_owned()),
        2 => ("dhondt", nominal_keys(state, "parallel")),
        3 => ("sainte-lague", "threshold = \"3%\"\n".to_owned()),
        4 => ("dhondt", nominal_keys(state, "added")),
        5 => ("hare", String::new()),
        6 => ("sainte-lague", nominal_keys(state, "within")),
        7 => ("droop", "threshold = \"5%\"\n".to_owned()),
        _ => ("modified-sainte-lague", nominal_keys(state, "parallel")),
    };
    let _ = write!(decision, "method = \"{method}\"\n{rest}");
    let (id, name) = (format!("legislative-{:02}", state.no), format!("Legislative council of State {:02}", state.no));
    Contest { id, name, area: state.id(), decision, lines: of_lists(0..lists) }
}

fn nominal_id(state: &State, district: usize) -> String {
    format!("legislative-{:02}-d{district}", state.no)
}

fn nominal_keys(state: &State, rule: &str) -> String {
    let ids: Vec<String> =
        (1..=state.districts).map(|district| format!("\"{}\"", nominal_id(state, district))).collect();
    if ids.is_empty() { String::new() } else { format!("nominal = [{}]\nrule = \"{rule}\"\n", ids.join(", ")) }
}

/// A district's seat in a mixed council: each candidate stands for one list.
fn nominal(recipe: &Recipe, state_no: u32, state: &State, district: usize) -> Contest {
    let mut dice = Dice::new(recipe.seed, &format!("district {district}"), state_no);
    let lists = (recipe.lists as usize).min(IN_DISTRICTS);
    let line = |list| Line { list, candidate: Some(list + 1), appeal: dice.around(100, 40) };
    let name = format!("Legislative council of State {:02} by name in district {district}", state.no);
    Contest {
        id: nominal_id(state, district),
        name,
        area: state.district_id(district),
        decision: MOST_VOTES.into(),
        lines: (0..lists).map(line).collect(),
    }
}

fn municipal(municipality: &Municipality, lists: &[usize]) -> Contest {
    let (no, seats) = (municipality.no, 5 + 2 * (municipality.stations / 50).min(5));
    let method = MUNICIPAL_METHODS.get(municipality.state % MUNICIPAL_METHODS.len()).copied().unwrap_or("dhondt");
    let decision = format!("type = \"lists\"\nseats = {seats}\nties = [\"more-votes\"]\nmethod = \"{method}\"\n");
    let (id, name) = (format!("municipal-{no:03}"), format!("Municipal council of Municipality {no:03}"));
    Contest { id, name, area: municipality.id(), decision, lines: of_lists(lists.iter().copied()) }
}
