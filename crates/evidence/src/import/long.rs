//! Tables with one row per station, contest and ballot line.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tallyproof_record::Problem;
use tallyproof_record::definition::Figure;

use super::ballot::{Ballot, Line};
use super::columns::{Key, cell, find, find_one};
use super::journal::{Journal, RowId};
use super::register::Register;
use super::{Figures, Record, id_fault, plain, short_id};
use crate::input::Table;
use crate::mapping::{LongSpec, Mapping};
use crate::number::NotACount;
use crate::pattern;
use crate::report::{BAD_KEY, CONFLICT, FIGURE_MISSING, LINE_MISSING, MODES_DOUBLE, REPEATED, REST_OF_RECORD};

pub(super) struct Long<'m> {
    mapping: &'m Mapping,
    spec: &'m LongSpec,
    columns: Option<LongColumns<'m>>,
    /// Line or figure by contest and value of the line key.
    targets: HashMap<(usize, String), Target>,
    /// Values of the line key and of the mode column, numbered.
    values: Numbering,
    modes: Numbering,
    groups: Vec<Group>,
    by_key: HashMap<(usize, usize), usize>,
}

/// The columns in the table being read.
struct LongColumns<'m> {
    candidate: usize,
    line: Option<Key<'m>>,
    votes: usize,
    party: Option<usize>,
    mode: Option<usize>,
    figures: Vec<(Figure, Vec<usize>)>,
}

/// What a row's votes count for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Line(usize),
    Figure(Figure),
}

/// The rows of one station and contest.
struct Group {
    station: usize,
    contest: usize,
    rows: BTreeSet<RowId>,
    /// By target, value and mode: several spellings and modes of one line are summed.
    cells: BTreeMap<(Target, u32, u32), (u64, RowId)>,
    /// Figures from columns, which all rows have to repeat.
    stated: [Option<u32>; 5],
    /// The row that makes the group unusable.
    dead: Option<RowId>,
}

/// Texts, numbered in order of appearance.
#[derive(Default)]
struct Numbering(HashMap<String, u32>);

impl Numbering {
    fn of(&mut self, text: &str) -> u32 {
        if let Some(&known) = self.0.get(text) {
            return known;
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(text.to_owned(), number);
        number
    }
}

impl<'m> Long<'m> {
    pub(super) fn new(mapping: &'m Mapping, spec: &'m LongSpec) -> Self {
        Self {
            mapping,
            spec,
            columns: None,
            targets: HashMap::new(),
            values: Numbering::default(),
            modes: Numbering::default(),
            groups: Vec::new(),
            by_key: HashMap::new(),
        }
    }

    /// Finds the columns in a table.
    ///
    /// # Errors
    /// Every column that is not there.
    pub(super) fn begin(&mut self, table: &Table<'_>) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        let spec = self.spec;
        let candidate = find_one(table, &spec.candidate, &mut problems);
        let votes = find_one(table, &spec.votes, &mut problems);
        let party = spec.party.as_ref().and_then(|column| find_one(table, column, &mut problems));
        let mode = spec.mode.as_ref().and_then(|column| find_one(table, column, &mut problems));
        let line = spec.line.as_ref().map(|key| Key::find(key, table, &mut problems));
        let figures = self.mapping.figures.columns.iter();
        let figures = figures.map(|(figure, columns)| (*figure, find(table, columns, &mut problems))).collect();
        match (candidate, votes) {
            (Some(candidate), Some(votes)) if problems.is_empty() => {
                self.columns = Some(LongColumns { candidate, line, votes, party, mode, figures });
                Ok(())
            }
            _ => Err(problems),
        }
    }

    /// Why the mapping leaves a row out, if it does.
    pub(super) fn filter_against(&self, cells: &[Cow<'_, str>]) -> Option<String> {
        let columns = self.columns.as_ref()?;
        let candidate = cell(cells, columns.candidate);
        if self.spec.ignore.iter().any(|glob| pattern::matches(glob, candidate)) {
            return Some(format!("ignore {candidate}"));
        }
        let mode = cell(cells, columns.mode?);
        let lists = |modes: &[String]| modes.iter().any(|listed| listed == mode);
        let skipped =
            lists(&self.spec.skip_modes) || !(self.spec.keep_modes.is_empty() || lists(&self.spec.keep_modes));
        skipped.then(|| format!("mode {mode}"))
    }

    pub(super) fn row(
        &mut self,
        row: RowId,
        station: usize,
        contest: usize,
        cells: &[Cow<'_, str>],
        ballot: &mut Ballot<'m>,
        journal: &mut Journal,
    ) {
        let Some(columns) = &self.columns else { return };
        let group = group(&mut self.groups, &mut self.by_key, station, contest);
        let candidate = cell(cells, columns.candidate);
        let value = columns.line.as_ref().map_or(Cow::Borrowed(candidate), |key| Cow::Owned(key.join(cells)));
        let known = self.targets.get(&(contest, value.clone().into_owned())).copied();
        let target = match known {
            Some(target) => target,
            None => match target(
                self.mapping,
                self.spec,
                contest,
                candidate,
                &value,
                columns.party.map(|party| cell(cells, party)),
                ballot,
            ) {
                Ok(target) => {
                    self.targets.insert((contest, value.clone().into_owned()), target);
                    target
                }
                Err(what) => {
                    group.dead = Some(row);
                    return journal.problem(row, BAD_KEY, what);
                }
            },
        };
        let votes = match self.mapping.numbers.read(cell(cells, columns.votes)) {
            Ok(Some(votes)) => votes,
            Ok(None) => {
                group.dead = Some(row);
                return journal.problem(
                    row,
                    FIGURE_MISSING,
                    format!("no figure in `{}`: the station is registered and has no record", self.spec.votes.text),
                );
            }
            Err(fault) => {
                group.dead = Some(row);
                return journal.not_a_count(row, fault, &self.spec.votes.text, cell(cells, columns.votes));
            }
        };
        if let Err(fault) = group.state(columns, self.mapping, cells) {
            group.dead = Some(row);
            return fault.report(row, journal);
        }
        let mode = columns.mode.map_or("", |mode| cell(cells, mode));
        let at = (target, self.values.of(&value), self.modes.of(mode));
        group.add(at, votes, row, self.spec.sum_repeated, journal);
    }

    /// # Errors
    /// Totals beside their parts.
    pub(super) fn finish(
        self,
        ballot: &mut Ballot<'m>,
        register: &mut Register<'m>,
        journal: &mut Journal,
    ) -> Result<Vec<Record>, Vec<Problem>> {
        self.check_modes()?;
        let required = self.required();
        for contest in &mut ballot.contests {
            contest.figures.extend(required.iter().copied());
        }
        let mut records = Vec::new();
        for group in &self.groups {
            if let Some(figures) = group.figures(&self, ballot, &required, journal) {
                if let (Some(registered), Some(station)) =
                    (figures.stated[Figure::Registered as usize], register.stations.get_mut(group.station))
                {
                    station.roll.get_or_insert(registered);
                }
                records.push(Record { station: group.station, contest: group.contest, figures });
            }
        }
        order_lines(ballot, &mut records);
        Ok(records)
    }

    /// Figures that a record has to state.
    fn required(&self) -> BTreeSet<Figure> {
        let figures = self.mapping.figures.columns.keys().chain(self.spec.pseudo.keys());
        figures.filter(|figure| !self.mapping.figures.optional.contains(figure)).copied().collect()
    }

    /// A mode that says that it is a total, beside others, would count every vote twice.
    fn check_modes(&self) -> Result<(), Vec<Problem>> {
        let (Some(mode), true) = (&self.spec.mode, self.spec.keep_modes.is_empty()) else { return Ok(()) };
        let total = self.modes.0.keys().find(|mode| ["total", "totals", "all"].contains(&mode.to_lowercase().as_str()));
        match total {
            Some(total) if self.modes.0.len() > 1 => {
                let what = format!(
                    "column `{}` has `{total}` beside other modes: set `skip_modes = [\"{total}\"]`, or `keep_modes` with all that are to be summed",
                    mode.text
                );
                Err(vec![Problem::new(MODES_DOUBLE, &mode.place, what)])
            }
            _ => Ok(()),
        }
    }
}

fn group<'g>(
    groups: &'g mut Vec<Group>,
    by_key: &mut HashMap<(usize, usize), usize>,
    station: usize,
    contest: usize,
) -> &'g mut Group {
    let number = *by_key.entry((station, contest)).or_insert(groups.len());
    if number == groups.len() {
        groups.push(Group {
            station,
            contest,
            rows: BTreeSet::new(),
            cells: BTreeMap::new(),
            stated: [None; 5],
            dead: None,
        });
    }
    &mut groups[number]
}

/// The meaning of a value of the line key: a figure, a declared line, or a line of that name.
fn target(
    mapping: &Mapping,
    spec: &LongSpec,
    contest: usize,
    candidate: &str,
    value: &str,
    party: Option<&str>,
    ballot: &mut Ballot<'_>,
) -> Result<Target, String> {
    let figure = spec.pseudo.iter().find(|(_, globs)| globs.iter().any(|glob| pattern::matches(glob, candidate)));
    if let Some((figure, _)) = figure {
        return Ok(Target::Figure(*figure));
    }
    let own = mapping.contests.get(contest).map(|contest| &contest.wide.lines).filter(|lines| !lines.is_empty());
    let declared = own
        .unwrap_or(&mapping.wide.lines)
        .iter()
        .enumerate()
        .find(|(_, line)| line.values.iter().any(|known| known == value));
    let mut line = Line::new(&short_id(value), &plain(candidate), declared.map(|(_, spec)| spec));
    line.declared = declared.map(|(number, _)| number);
    if spec.line.is_some() && declared.is_none_or(|(_, spec)| spec.candidate.is_none()) {
        line.candidate = short_id(candidate);
        line.candidate_name = line.candidate_name.or_else(|| Some(plain(candidate)));
    }
    if let Some(party) = party.filter(|party| !party.is_empty() && line.party.is_none()) {
        line.party = Some(short_id(party));
        line.party_name = Some(plain(party));
    }
    for id in [Some(&line.id), Some(&line.candidate), line.party.as_ref()].into_iter().flatten() {
        if let Some(fault) = id_fault(id) {
            return Err(format!(
                "the ballot line `{id}` {fault}; name it in a [[line]] with `match` and `id`, or list it in `ignore`"
            ));
        }
    }
    let contest = ballot.contests.get_mut(contest).ok_or("there is no such contest")?;
    Ok(Target::Line(contest.line(line)))
}

/// Why a row's figure columns do not go with its group.
enum StateFault<'c> {
    NotACount(NotACount, String, &'c str),
    Missing(Figure),
    Differs(Figure),
}

impl StateFault<'_> {
    fn report(self, row: RowId, journal: &mut Journal) {
        match self {
            Self::NotACount(fault, column, cell) => journal.not_a_count(row, fault, &column, cell),
            Self::Missing(figure) => journal.problem(
                row,
                FIGURE_MISSING,
                format!("no figure for `{}`: the station is registered and has no record", figure.as_str()),
            ),
            Self::Differs(figure) => journal.problem(
                row,
                CONFLICT,
                format!(
                    "another row of the same station and contest states another `{}`; none of them is used",
                    figure.as_str()
                ),
            ),
        }
    }
}

impl Group {
    /// Takes the figures that a row repeats.
    fn state<'c>(
        &mut self,
        columns: &LongColumns<'_>,
        mapping: &Mapping,
        cells: &'c [Cow<'_, str>],
    ) -> Result<(), StateFault<'c>> {
        for (figure, parts) in &columns.figures {
            let mut sum = Some(0u32);
            for &part in parts {
                let text = cell(cells, part);
                match mapping.numbers.read(text) {
                    Ok(Some(count)) => {
                        sum = match sum.map(|sum| sum.checked_add(count)) {
                            Some(None) => {
                                return Err(StateFault::NotACount(
                                    NotACount::TooLarge,
                                    figure.as_str().to_owned(),
                                    text,
                                ));
                            }
                            Some(sum) => sum,
                            None => None,
                        }
                    }
                    Ok(None) if mapping.figures.optional.contains(figure) => sum = None,
                    Ok(None) => return Err(StateFault::Missing(*figure)),
                    Err(fault) => return Err(StateFault::NotACount(fault, figure.as_str().to_owned(), text)),
                }
            }
            let Some(slot) = self.stated.get_mut(*figure as usize) else { continue };
            match (*slot, sum) {
                (Some(before), Some(now)) if before != now => return Err(StateFault::Differs(*figure)),
                (None, now) => *slot = now,
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, at: (Target, u32, u32), votes: u32, row: RowId, sum_repeated: bool, journal: &mut Journal) {
        match self.cells.get_mut(&at) {
            None => {
                self.cells.insert(at, (u64::from(votes), row));
                self.rows.insert(row);
            }
            Some((sum, _)) if sum_repeated => {
                *sum = sum.saturating_add(u64::from(votes));
                self.rows.insert(row);
            }
            Some((before, first)) if *before == u64::from(votes) => {
                let what = format!("repeats {}, which is used", journal.place(*first));
                journal.problem(row, REPEATED, what);
            }
            Some((_, first)) => {
                let first = *first;
                let text = |other: String| {
                    format!(
                        "another row for the same station, contest and line is at {other}; it has other votes, and the station has no record. Is the station key complete, and is there a column of modes?"
                    )
                };
                if self.rows.remove(&first) {
                    journal.problem(first, CONFLICT, text(journal.place(row)));
                }
                journal.problem(row, CONFLICT, text(journal.place(first)));
                self.dead = Some(row);
            }
        }
    }

    /// The record of the group; `None`, with a problem for each of its rows, where it has none.
    fn figures(
        &self,
        long: &Long<'_>,
        ballot: &Ballot<'_>,
        required: &BTreeSet<Figure>,
        journal: &mut Journal,
    ) -> Option<Figures> {
        if let Some(dead) = self.dead {
            let what = format!(
                "the row at {} of the same station and contest cannot be used, so that there is no record",
                journal.place(dead)
            );
            self.reject(REST_OF_RECORD, &what, journal);
            return None;
        }
        match self.sum(long, ballot, required) {
            Ok(figures) => {
                self.rows.iter().for_each(|row| journal.used(*row));
                Some(figures)
            }
            Err(what) => {
                self.reject(LINE_MISSING, &what, journal);
                None
            }
        }
    }

    fn reject(&self, code: &'static str, what: &str, journal: &mut Journal) {
        for row in &self.rows {
            journal.problem(*row, code, what);
        }
    }

    fn sum(&self, long: &Long<'_>, ballot: &Ballot<'_>, required: &BTreeSet<Figure>) -> Result<Figures, String> {
        let lines = ballot.contests.get(self.contest).map_or(&[][..], |contest| &contest.lines);
        let mut counts: Vec<Option<u64>> = vec![None; lines.len()];
        let mut stated = self.stated.map(|figure| figure.map(u64::from));
        let mut modes: HashSet<u32> = HashSet::new();
        let mut modes_of: BTreeMap<Target, HashSet<u32>> = BTreeMap::new();
        for ((target, _, mode), (votes, _)) in &self.cells {
            let slot = match target {
                Target::Line(line) => counts.get_mut(*line),
                Target::Figure(figure) => stated.get_mut(*figure as usize),
            };
            if let Some(slot) = slot {
                *slot = Some(slot.unwrap_or(0).saturating_add(*votes));
            }
            if matches!(target, Target::Line(_)) {
                modes.insert(*mode);
                modes_of.entry(*target).or_default().insert(*mode);
            }
        }
        let absent_is_zero = long.spec.absent_is_zero;
        if !absent_is_zero {
            let short = modes_of.iter().find(|(_, of)| of.len() != modes.len());
            if let Some((Target::Line(line), _)) = short {
                let id = lines.get(*line).map_or("", |line| line.id.as_str());
                return Err(format!(
                    "the ballot line `{id}` has fewer modes than others of the same station: missing is not zero, so that there is no record. {ABSENT}"
                ));
            }
        }
        let zero = |figure: &Figure| absent_is_zero && matches!(figure, Figure::Blank | Figure::Null);
        for figure in required {
            if let Some(slot @ None) = stated.get_mut(*figure as usize) {
                if !zero(figure) {
                    return Err(format!(
                        "no row states the figure `{}`, so that there is no record; list it as `optional` in [figures] if a record may lack it",
                        figure.as_str()
                    ));
                }
                *slot = Some(0);
            }
        }
        finish_counts(lines, &counts, stated, absent_is_zero)
    }
}

const ABSENT: &str = "If the publisher leaves out zeros, set `absent_is_zero = true` in [long]";

fn finish_counts(
    lines: &[Line],
    counts: &[Option<u64>],
    stated: [Option<u64>; 5],
    absent_is_zero: bool,
) -> Result<Figures, String> {
    let narrow = |count: u64, id: &str| {
        u32::try_from(count).map_err(|_| format!("the votes of `{id}` add up to more than a record can state"))
    };
    let mut narrowed = Vec::with_capacity(lines.len());
    for (line, count) in lines.iter().zip(counts) {
        match count {
            Some(count) => narrowed.push(narrow(*count, &line.id)?),
            None if absent_is_zero => narrowed.push(0),
            None => {
                return Err(format!(
                    "no row for the ballot line `{}`: missing is not zero, so that there is no record. {ABSENT}",
                    line.id
                ));
            }
        }
    }
    let mut figures = [None; 5];
    for ((slot, figure), value) in figures.iter_mut().zip(Figure::ALL).zip(stated) {
        *slot = value.map(|value| narrow(value, figure.as_str())).transpose()?;
    }
    Ok(Figures { counts: narrowed, stated: figures })
}

/// Puts declared lines first, in the mapping's order, on the ballot and in the records.
fn order_lines(ballot: &mut Ballot<'_>, records: &mut [Record]) {
    let mut orders: Vec<Vec<usize>> = Vec::new();
    for contest in &mut ballot.contests {
        let mut numbered: Vec<(usize, Line)> = std::mem::take(&mut contest.lines).into_iter().enumerate().collect();
        numbered.sort_by_key(|(appeared, line)| (line.declared.unwrap_or(usize::MAX), *appeared));
        orders.push(numbered.iter().map(|(appeared, _)| *appeared).collect());
        contest.lines = numbered.into_iter().map(|(_, line)| line).collect();
    }
    for record in records {
        if let Some(order) = orders.get(record.contest) {
            let counts = &record.figures.counts;
            record.figures.counts = order.iter().filter_map(|&line| counts.get(line).copied()).collect();
        }
    }
}
