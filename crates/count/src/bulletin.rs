//! The document of a bulletin: all results at one tree size, with the lists of stations that they come from and what can still
//! change (`docs/spec/bulletin.md`). A function of the definition, a log prefix, the bulletin's number and its time.

mod csv;
mod difference;
mod json;
mod outcome_json;

use std::fmt;

use tallyproof_log::{merkle::Hash, tree::Tree};
use tallyproof_record::{
    ContestNo, StationNo,
    definition::{Contest, Figure, Named},
    statement::{Bulletin, LaterStage, Reason},
};

use crate::{
    ledger::{Ledger, Rejection, RuleSet, SlotStatus},
    manifest::file_hash,
    outcome::{self, Outcome},
    share::{Percent, percent},
    statements::IssuedBulletin,
    totals::{AreaTotals, Totals},
};

pub use difference::{Form, first_difference};

/// A bulletin's content. What `index/totals.json` says of the same tree size is in it, so that it stands alone.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its number.
    pub number: u32,
    /// When it was drafted, seconds since 1970-01-01T00:00:00Z.
    pub made_at: u64,
    /// Log entries that it is made from.
    pub tree_size: u64,
    /// The log's root at that size.
    pub root: Hash,
    /// SHA-256 of `index/totals.json` at that size.
    pub totals_hash: Hash,
    /// The sums, as counted and as it stands; they know the definition.
    pub totals: Totals,
    /// What more is known of each contest, in definition order.
    pub contests: Vec<ContestDocument>,
    /// Rejected records that name no station of the register, or a contest that it does not vote in.
    pub strays: Vec<Rejection>,
}

/// One contest beside its sums.
#[derive(Clone, Debug)]
pub struct ContestDocument {
    /// Which.
    pub contest: ContestNo,
    /// Which stations the sums are of.
    pub stations: StationLists,
    /// What can still change, and who has which seats, as it stands.
    pub outcome: Outcome,
}

/// The stations of a contest by what became of their records, each list by station number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StationLists {
    /// One record stands and is counted.
    pub counted: Vec<StationNo>,
    /// There are records, and rules keep them from being counted.
    pub quarantined: Vec<QuarantinedStation>,
    /// No record that could be counted has come.
    pub missing: Vec<StationNo>,
    /// Rejected records, by log entry. Their stations stand in one of the lists above as well.
    pub rejected: Vec<Rejection>,
    /// Whose figures the authority has replaced or annulled. They stand in one of the first three lists as well: these are as
    /// counted.
    pub corrected: Vec<CorrectedStation>,
}

/// A station whose records are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarantinedStation {
    /// Which.
    pub station: StationNo,
    /// The rules that its records fail.
    pub codes: RuleSet,
}

/// A station with a correction in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorrectedStation {
    /// Which.
    pub station: StationNo,
    /// Log entry of the correction.
    pub entry: u64,
    /// Which counting it comes from.
    pub stage: LaterStage,
    /// Why.
    pub reason: Reason,
    /// Whether the station's poll counts no longer.
    pub annulled: bool,
}

/// What a bulletin's statement says otherwise than the log gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// What it is about.
    pub part: Part,
    /// What the log gives.
    pub found: Hash,
    /// What is stated.
    pub stated: Hash,
}

/// What a bulletin's statement says of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The log's root.
    Root,
    /// SHA-256 of the totals.
    Totals,
    /// SHA-256 of the document.
    Document,
}

impl Contradiction {
    /// What `stated` says otherwise than `given`, which the log gives for the same number and tree size.
    pub fn between(given: &Bulletin, stated: &Bulletin) -> Vec<Self> {
        let parts = [
            (Part::Root, given.root, stated.root),
            (Part::Totals, given.totals, stated.totals),
            (Part::Document, given.document, stated.document),
        ];
        let other = parts.into_iter().filter(|(_, given, stated)| given != stated);
        other.map(|(part, given, stated)| Self { part, found: Hash(given), stated: Hash(stated) }).collect()
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.part {
            Part::Root => "the log's root is",
            Part::Totals => "the totals have the SHA-256",
            Part::Document => "the document has the SHA-256",
        };
        write!(f, "{what} {}, it states {}", self.found, self.stated)
    }
}

/// How sums are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The records as they were counted.
    AsCounted,
    /// With the corrections in force in place of what they replace.
    AsItStands,
}

impl Basis {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AsCounted, Self::AsItStands];

    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AsCounted => "as-counted",
            Self::AsItStands => "as-it-stands",
        }
    }
}

/// What a figure of an area counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Stations by status, and rejected records.
    Stations,
    /// Voters on the rolls of the register.
    Registered,
    /// Votes of a ballot line.
    Line,
    /// Votes of a candidate.
    Candidate,
    /// Votes of a party.
    Party,
    /// The sum of a figure that records state: blank, null, voters …
    Stated,
    /// Counted records that state that figure.
    Records,
}

impl Quantity {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stations => "stations",
            Self::Registered => "registered",
            Self::Line => "line",
            Self::Candidate => "candidate",
            Self::Party => "party",
            Self::Stated => "stated",
            Self::Records => "records",
        }
    }
}

/// One figure of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FigureRow<'a> {
    /// What is counted.
    pub quantity: Quantity,
    /// Of which: the id of a line, candidate or party; else a word such as `expected` or `blank`.
    pub id: &'a str,
    /// The count.
    pub value: u64,
    /// Its share, where it is one of something that is known in full ([`figures`] says of what).
    pub share: Option<Percent>,
}

impl Document {
    /// The bulletin of this ledger. `root` is the log's at the ledger's size.
    pub fn of(ledger: &Ledger, number: u32, made_at: u64, root: Hash) -> Self {
        let totals = Totals::of(ledger);
        let (lists, outcomes) = rayon::join(|| lists(ledger), || outcome::of(ledger, &totals).into_contests());
        let numbered = ledger.definition().election().numbered_contests().map(|(contest, _)| contest);
        let contests = numbered.zip(lists).zip(outcomes);
        let contests = contests.map(|((contest, stations), outcome)| ContestDocument { contest, stations, outcome });
        Self {
            number,
            made_at,
            tree_size: ledger.entries(),
            root,
            totals_hash: file_hash(&totals.to_json()),
            contests: contests.collect(),
            strays: ledger.rejections().iter().filter(|it| is_stray(ledger, it)).copied().collect(),
            totals,
        }
    }

    /// `bulletin.json`: one line of JSON with sorted keys, ended by LF. Its SHA-256 is what a bulletin states as its document.
    pub fn to_json(&self) -> Vec<u8> {
        json::render(self)
    }

    /// What a statement about this document has to say; `json` is the document's.
    pub fn statement(&self, json: &[u8]) -> Bulletin {
        Bulletin {
            number: self.number,
            tree_size: self.tree_size,
            root: self.root.0,
            totals: self.totals_hash.0,
            document: file_hash(json).0,
        }
    }

    /// `bulletin.csv`: the same figures and lists as one table.
    pub fn to_csv(&self) -> Vec<u8> {
        csv::render(self)
    }

    /// The sums of a contest in its own area and then in each below it; `None` where the definition does not have it.
    pub fn areas(&self, contest: ContestNo, basis: Basis) -> Option<impl Iterator<Item = &AreaTotals>> {
        let totals = match basis {
            Basis::AsCounted => self.totals.contest(contest),
            Basis::AsItStands => self.totals.as_it_stands(contest),
        }?;
        Some(std::iter::once(totals.whole()).chain(totals.areas()))
    }
}

/// Calls `visit` with the document of each of these bulletins as the log gives it, by tree size: one pass over the ledger, however
/// many they are. `tree` is the log's; what a bulletin states of it is not looked at.
pub fn recompute(
    ledger: &Ledger,
    tree: &Tree,
    bulletins: &[IssuedBulletin],
    mut visit: impl FnMut(&IssuedBulletin, &Document),
) {
    if bulletins.is_empty() {
        // To revisit a ledger begins with an empty one, which takes its time for a large register.
        return;
    }
    let mut by_size: Vec<_> = bulletins.iter().collect();
    by_size.sort_by_key(|issued| (issued.stated.tree_size, issued.entry));
    let mut sizes: Vec<_> = by_size.iter().map(|issued| issued.stated.tree_size).collect();
    sizes.dedup();
    ledger.revisit(sizes, |past| {
        let Some(root) = tree.root_at(past.entries()) else { return };
        let mut document: Option<Document> = None;
        for issued in by_size.iter().filter(|issued| issued.stated.tree_size == past.entries()) {
            let (number, made_at) = (issued.stated.number, issued.made_at);
            let document = document.get_or_insert_with(|| Document::of(past, number, made_at, root));
            (document.number, document.made_at) = (number, made_at);
            visit(issued, document);
        }
    });
}

/// Every figure of an area with its share:
///
/// * stations: of those expected; rejected records have none;
/// * registered voters at counted stations: of all on rolls that are known;
/// * ballot lines, candidates, parties: of the votes of all ballot lines;
/// * blank and null: of these votes, blank and null together, where every counted record states both;
/// * voters: of those registered at the counted stations, where every counted record states them and every roll is known.
pub fn figures<'a>(contest: &'a Contest, area: &AreaTotals) -> Vec<FigureRow<'a>> {
    let mut rows = Vec::with_capacity(3 * contest.lines.len() + 24);
    let mut push = |quantity, id, value, whole: Option<u64>| {
        rows.push(FigureRow { quantity, id, value, share: whole.and_then(|whole| percent(value, whole)) });
    };
    let stations = &area.stations;
    push(Quantity::Stations, "expected", stations.expected, None);
    for (id, value) in [
        ("counted", stations.counted),
        ("quarantined", stations.quarantined),
        ("missing", stations.missing),
        ("corrected", stations.corrected),
        ("annulled", stations.annulled),
    ] {
        push(Quantity::Stations, id, value, Some(stations.expected));
    }
    push(Quantity::Stations, "rejected", stations.rejected, None);
    let registered = &area.registered;
    push(Quantity::Registered, "all", registered.all, None);
    push(Quantity::Registered, "counted", registered.counted, Some(registered.all));
    push(Quantity::Registered, "unknown", registered.unknown, None);
    push(Quantity::Registered, "unknown-counted", registered.unknown_counted, None);
    let valid = area.lines.iter().sum();
    let named = |named: &'a [_], votes: Vec<u64>| named.iter().map(|it: &Named| it.id.as_str()).zip(votes);
    for (line, votes) in contest.lines.iter().zip(&area.lines) {
        push(Quantity::Line, &line.id, *votes, Some(valid));
    }
    for (id, votes) in named(&contest.candidates, area.candidates(contest)) {
        push(Quantity::Candidate, id, votes, Some(valid));
    }
    for (id, votes) in named(&contest.parties, area.parties(contest)) {
        push(Quantity::Party, id, votes, Some(valid));
    }
    for figure in Figure::ALL {
        let stated = area.figure(figure);
        push(Quantity::Stated, figure.as_str(), stated.sum, whole_of(figure, area, valid));
        push(Quantity::Records, figure.as_str(), stated.records, None);
    }
    rows
}

/// What a stated figure is a share of, if that is known in full.
fn whole_of(figure: Figure, area: &AreaTotals, valid: u64) -> Option<u64> {
    let counted = area.stations.counted;
    let in_full =
        |figure| Some(area.figure(figure)).filter(|stated| stated.records == counted).map(|stated| stated.sum);
    match figure {
        Figure::Blank | Figure::Null => Some(valid + in_full(Figure::Blank)? + in_full(Figure::Null)?),
        Figure::Voters if area.registered.unknown_counted == 0 => {
            in_full(Figure::Voters).map(|_| area.registered.counted)
        }
        Figure::Voters | Figure::Registered | Figure::Total => None,
    }
}

fn is_stray(ledger: &Ledger, rejection: &Rejection) -> bool {
    ledger.slot(rejection.station, rejection.contest).is_none()
}

/// The lists of every contest, in definition order.
fn lists(ledger: &Ledger) -> Vec<StationLists> {
    let mut lists = vec![StationLists::default(); ledger.definition().election().contests().len()];
    for slot in ledger.slots() {
        let of_contest = &mut lists[slot.contest.index()];
        match slot.status {
            SlotStatus::Counted => of_contest.counted.push(slot.station),
            SlotStatus::Missing => of_contest.missing.push(slot.station),
            SlotStatus::Quarantined => {
                of_contest.quarantined.push(QuarantinedStation { station: slot.station, codes: slot.codes });
            }
        }
    }
    for rejection in ledger.rejections().iter().filter(|it| !is_stray(ledger, it)) {
        lists[rejection.contest.index()].rejected.push(*rejection);
    }
    for (_, it) in ledger.book().in_force() {
        let (station, annulled) = (it.station, it.figures.is_none());
        let corrected = CorrectedStation { station, entry: it.entry, stage: it.stage, reason: it.reason, annulled };
        lists[it.contest.index()].corrected.push(corrected);
    }
    lists
}
