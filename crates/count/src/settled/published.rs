//! The file of published figures (`docs/spec/settled.md`): somebody's totals, with their source.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tallyproof_record::{
    Problem,
    problem::{place, shown},
};
use toml::Spanned;

use super::{
    Ahead, Alliances, Answer, Bar, Ceiling, Contest, Figures, Kind, MixedRule, Nominal, Outstanding, Question,
    SettledError, State, Station, Together, settle, settle_mixed,
};
use crate::{seats::Method, share::Share};

const SYNTAX: &str = "SF-01";
const TEXT: &str = "SF-02";
const TYPE: &str = "SF-03";
const BAR: &str = "SF-04";
const LISTS: &str = "SF-05";
const OUTSTANDING: &str = "SF-06";
const STATION: &str = "SF-07";
const FIGURES: &str = "SF-08";

/// Every stable code of a file's mistakes, with its meaning.
pub const CODES: &[(&str, &str)] = &[
    (
        SYNTAX,
        "The file is not UTF-8, not TOML, lacks a key, has one that does not exist, or a value of the wrong type.",
    ),
    (TEXT, "A text is empty, too long, or holds control characters."),
    (TYPE, "The type is not plurality, majority, run-off, lists or mixed, or a key does not belong to it."),
    (BAR, "A share or the bar that it belongs to is not stated, stated twice, or not a share."),
    (LISTS, "The method, the seats or the rule of a mixed system is not stated or not valid."),
    (OUTSTANDING, "What bounds the outstanding votes is stated twice."),
    (STATION, "A station stands twice, or its state is neither missing nor quarantined."),
    (FIGURES, "The figures contradict each other or pass the bounds of the format."),
];

/// Longest text in characters.
const LONGEST_TEXT: usize = 1_000;
/// So many mistakes are enough, and finding their places stays cheap.
const MOST_PROBLEMS: usize = 200;

/// What a file asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// One contest.
    Contest(Question),
    /// A mixed system.
    Mixed {
        /// The contest of lists.
        lists: Question,
        /// The contests of names.
        nominal: Vec<Question>,
        /// How they come together.
        rule: MixedRule,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    contest: Spanned<String>,
    source: Spanned<String>,
    #[serde(rename = "type")]
    kind: Spanned<String>,
    more_than: Option<Spanned<String>>,
    at_least: Option<Spanned<String>>,
    ahead: Option<Spanned<AheadTable>>,
    method: Option<Spanned<String>>,
    seats: Option<Spanned<u32>>,
    threshold: Option<Spanned<String>>,
    rule: Option<Spanned<String>>,
    blank: Option<Spanned<u64>>,
    votes: Spanned<BTreeMap<String, u64>>,
    outstanding: Spanned<OutstandingTable>,
    nominal: Option<Spanned<Vec<NominalTable>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AheadTable {
    more_than: Option<Spanned<String>>,
    at_least: Option<Spanned<String>>,
    by_more_than: Option<Spanned<String>>,
    by_at_least: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NominalTable {
    contest: Spanned<String>,
    votes: Spanned<BTreeMap<String, u64>>,
    outstanding: Spanned<OutstandingTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutstandingTable {
    stations: Option<u64>,
    turnout: Option<u64>,
    registered: Option<u64>,
    register: Option<RegisterTable>,
    station: Option<Vec<StationTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterTable {
    all: u64,
    counted: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StationTable {
    id: Spanned<String>,
    state: Option<Spanned<String>>,
    turnout: Option<u64>,
    registered: Option<u64>,
}

impl Published {
    /// Reads a file; `name` stands in the problems' places. What it returns has an answer.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Vec<Problem>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            vec![Problem::new(SYNTAX, format!("{name}:byte {}", error.valid_up_to()), "not UTF-8 text")]
        })?;
        let file: File = toml::from_str(text).map_err(|error| {
            let at = place(name, text, error.span().map_or(0, |span| span.start));
            vec![Problem::new(SYNTAX, at, format!("{}; docs/spec/settled.md lists the keys", error.message()))]
        })?;
        let mut reader = Reader { name, text, problems: Vec::new() };
        let published = reader.file(&file);
        if let (Some(published), true) = (published, reader.problems.is_empty()) {
            match published.answer() {
                Ok(_) => return Ok(published),
                Err(error) => reader.add(FIGURES, file.votes.span().start, error.to_string()),
            }
        }
        Err(reader.problems)
    }

    /// The answer.
    pub fn answer(&self) -> Result<Answer, SettledError> {
        match self {
            Self::Contest(question) => settle(question).map(Answer::Contest),
            Self::Mixed { lists, nominal, rule } => {
                let nominal: Vec<Nominal> = nominal.iter().cloned().map(Nominal::by_id).collect();
                settle_mixed(lists, &nominal, *rule).map(Answer::Mixed)
            }
        }
    }
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn add(&mut self, code: &'static str, at: usize, what: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem::new(code, place(self.name, self.text, at), what));
        }
    }

    fn file(&mut self, file: &File) -> Option<Published> {
        let source = self.label("source", &file.source);
        let figures = Figures::Published { source: source.unwrap_or_default() };
        let kind = self.kind(file);
        self.check_keys(file);
        let rule = if file.nominal.is_some() { self.rule(file) } else { None };
        let blank = file.blank.as_ref().map(|blank| *blank.as_ref());
        let main = self.question(&file.contest, &file.votes, blank, kind, &file.outstanding, &figures);
        let tables = file.nominal.iter().flat_map(Spanned::as_ref);
        let nominal = tables.map(|table| {
            self.question(
                &table.contest,
                &table.votes,
                None,
                Some(Kind::Plurality { seats: 1 }),
                &table.outstanding,
                &figures,
            )
        });
        let nominal: Vec<Option<Question>> = nominal.collect();
        if file.nominal.is_none() {
            return main.map(Published::Contest);
        }
        let nominal = nominal.into_iter().collect::<Option<_>>()?;
        Some(Published::Mixed { lists: main?, nominal, rule: rule? })
    }

    fn question(
        &mut self,
        contest: &Spanned<String>,
        votes: &Spanned<BTreeMap<String, u64>>,
        blank: Option<u64>,
        kind: Option<Kind>,
        outstanding: &Spanned<OutstandingTable>,
        figures: &Figures,
    ) -> Option<Question> {
        let id = self.label("contest", contest);
        for option in votes.as_ref().keys() {
            if let Some(fault) = fault_of(option) {
                self.add(TEXT, votes.span().start, format!("the option {} {fault}", shown(option)));
            }
        }
        let options = votes.as_ref().iter().map(|(option, votes)| (option.clone(), *votes)).collect();
        let outstanding = self.outstanding(outstanding)?;
        Some(Question {
            contest: Contest { id: id?, options, blank, kind: kind?, alliances: Alliances::default() },
            outstanding,
            figures: figures.clone(),
        })
    }

    fn label(&mut self, key: &str, text: &Spanned<String>) -> Option<String> {
        let fault = fault_of(text.as_ref());
        if let Some(fault) = fault {
            self.add(TEXT, text.span().start, format!("`{key}` {fault}"));
        }
        fault.is_none().then(|| text.as_ref().clone())
    }

    fn kind(&mut self, file: &File) -> Option<Kind> {
        let at = file.kind.span().start;
        match file.kind.as_ref().as_str() {
            "plurality" => Some(Kind::Plurality { seats: file.seats.as_ref().map_or(1, |seats| *seats.as_ref()) }),
            "majority" => self.bar(file.more_than.as_ref(), file.at_least.as_ref(), at).map(Kind::Majority),
            "run-off" => {
                let bar = self.bar(file.more_than.as_ref(), file.at_least.as_ref(), at);
                let ahead = file.ahead.as_ref().map(|ahead| self.ahead(ahead));
                Some(Kind::RunOff { bar: bar?, ahead: ahead.map_or(Some(None), |ahead| ahead.map(Some))? })
            }
            "lists" | "mixed" => self.lists(file),
            other => {
                let what = format!("no type {}; write plurality, majority, run-off, lists or mixed", shown(other));
                self.add(TYPE, at, what);
                None
            }
        }
    }

    /// A key that has no meaning for the type would be silently without effect.
    fn check_keys(&mut self, file: &File) {
        let at = |key: &Option<Spanned<String>>| key.as_ref().map(|key| key.span().start);
        let keys: [(&str, Option<usize>, &[&str]); 8] = [
            ("more_than", at(&file.more_than), &["majority", "run-off"]),
            ("at_least", at(&file.at_least), &["majority", "run-off"]),
            ("ahead", file.ahead.as_ref().map(|key| key.span().start), &["run-off"]),
            ("method", at(&file.method), &["lists", "mixed"]),
            ("seats", file.seats.as_ref().map(|key| key.span().start), &["plurality", "lists", "mixed"]),
            ("threshold", at(&file.threshold), &["lists", "mixed"]),
            ("rule", at(&file.rule), &["mixed"]),
            ("nominal", file.nominal.as_ref().map(|key| key.span().start), &["mixed"]),
        ];
        for (key, at, types) in keys {
            if let Some(at) = at.filter(|_| !types.contains(&file.kind.as_ref().as_str())) {
                self.add(TYPE, at, format!("`{key}` belongs to the type {} alone", types.join(" or ")));
            }
        }
        if file.kind.as_ref() == "mixed" && file.nominal.is_none() {
            self.add(TYPE, file.kind.span().start, "a mixed system needs [[nominal]], one for each contest of names");
        }
    }

    fn share(&mut self, text: &Spanned<String>) -> Option<Share> {
        let share = text.as_ref().parse();
        share
            .map_err(|error| self.add(BAR, text.span().start, format!("{} is no share: {error}", shown(text.as_ref()))))
            .ok()
    }

    fn bar(&mut self, more: Option<&Spanned<String>>, least: Option<&Spanned<String>>, at: usize) -> Option<Bar> {
        match (more, least) {
            (Some(more), None) => self.share(more).map(Bar::MoreThan),
            (None, Some(least)) => self.share(least).map(Bar::AtLeast),
            _ => {
                self.add(BAR, at, "state the bar by one of two keys: more than a share (\"50 % + 1\" is more than 50 %), or at least one");
                None
            }
        }
    }

    fn ahead(&mut self, table: &Spanned<AheadTable>) -> Option<Ahead> {
        let (at, table) = (table.span().start, table.as_ref());
        let reach = self.bar(table.more_than.as_ref(), table.at_least.as_ref(), at);
        let by = self.bar(table.by_more_than.as_ref(), table.by_at_least.as_ref(), at);
        Some(Ahead { reach: reach?, by: by? })
    }

    fn lists(&mut self, file: &File) -> Option<Kind> {
        let at = file.kind.span().start;
        let method = self.method(file.method.as_ref(), at);
        if file.seats.is_none() {
            self.add(LISTS, at, "`seats` is missing: how many seats the lists get");
        }
        let threshold = match &file.threshold {
            Some(threshold) => Some(self.share(threshold)?),
            None => None,
        };
        Some(Kind::Lists { method: method?, seats: *file.seats.as_ref()?.as_ref(), threshold })
    }

    fn method(&mut self, method: Option<&Spanned<String>>, at: usize) -> Option<Method> {
        let Some(method) = method else {
            self.add(LISTS, at, "`method` is missing: how votes become seats");
            return None;
        };
        let parsed = method.as_ref().parse::<Method>();
        parsed.map_err(|error| self.add(LISTS, method.span().start, error.to_string())).ok()
    }

    fn rule(&mut self, file: &File) -> Option<MixedRule> {
        let (at, rule) =
            file.rule.as_ref().map_or((file.kind.span().start, ""), |rule| (rule.span().start, rule.as_ref()));
        match rule {
            "parallel" => Some(MixedRule::Parallel),
            "added" => Some(MixedRule::Added),
            "within" => Some(MixedRule::Within),
            _ => {
                self.add(LISTS, at, "a mixed system needs `rule`: parallel, added or within");
                None
            }
        }
    }

    fn outstanding(&mut self, table: &Spanned<OutstandingTable>) -> Option<Outstanding> {
        let (at, table) = (table.span().start, table.as_ref());
        let ways =
            [table.turnout.is_some(), table.registered.is_some(), table.register.is_some(), table.station.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 || (table.station.is_some() && table.stations.is_some()) {
            let what = "state what bounds the outstanding votes once: turnout, registered, register, or each [[outstanding.station]] (their number follows)";
            self.add(OUTSTANDING, at, what);
            return None;
        }
        if let Some(stations) = &table.station {
            return self.stations(stations).map(Outstanding::Stations);
        }
        let most = match (table.turnout, table.registered, &table.register) {
            (Some(votes), ..) => Together::Turnout(votes),
            (_, Some(voters), _) => Together::Register(voters),
            (.., Some(RegisterTable { all, counted: Some(counted) })) => {
                Together::RegisterLess { all: *all, counted: *counted }
            }
            (.., Some(RegisterTable { all, counted: None })) => Together::RegisterLessVotes { all: *all },
            _ if table.stations == Some(0) => Together::Turnout(0),
            _ => Together::Unknown,
        };
        Some(Outstanding::Together { stations: table.stations, most })
    }

    fn stations(&mut self, tables: &[StationTable]) -> Option<Vec<Station>> {
        let (mut seen, mut stations) = (BTreeSet::new(), Vec::new());
        for table in tables {
            let at = table.id.span().start;
            let id = self.label("id", &table.id);
            if !seen.insert(table.id.as_ref()) {
                self.add(STATION, at, format!("the station {} stands twice", shown(table.id.as_ref())));
            }
            let state = match table.state.as_ref().map(|state| (state.as_ref().as_str(), state.span().start)) {
                None | Some(("missing", _)) => State::Missing,
                Some(("quarantined", _)) => State::Quarantined,
                Some((_, at)) => {
                    self.add(STATION, at, "a station's record is missing or quarantined");
                    State::Missing
                }
            };
            // Who is registered does not matter where it was counted who came.
            let most = match (table.turnout, table.registered) {
                (Some(turnout), _) => Some(Ceiling::Turnout(turnout)),
                (None, registered) => registered.map(Ceiling::Register),
            };
            stations.extend(id.map(|id| Station { id, state, most, allowance: 0 }));
        }
        self.problems.is_empty().then_some(stations)
    }
}

fn fault_of(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("is empty; write what it is")
    } else if text.chars().nth(LONGEST_TEXT).is_some() {
        Some("is longer than 1,000 characters; shorten it")
    } else if text.contains(char::is_control) {
        Some("holds control characters; remove them")
    } else {
        None
    }
}
