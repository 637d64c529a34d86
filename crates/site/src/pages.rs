//! The pages: what each shows, and how stations are spread over pages.

mod stations;

use askama::{Template, filters::Safe};
use tallyproof_count::{
    SlotStatus,
    statements::IssuedBulletin,
    totals::{Progress, Registered},
};
use tallyproof_record::{
    Election, Phase,
    definition::Figure,
    rules::Severity,
    statement::{LaterStage, Reason},
};

use self::stations::Lists;
use crate::{
    SiteInput, Witnessing,
    bulletin::{self, Fragments},
    chart,
    messages::{Text, Value},
    number::{grouped, signed},
    standing::Corrected,
    view::{ContestView, Group, RankedRow},
    words::Words,
};

/// Most bars above the fold; the table below them has every candidate.
const BARS: usize = 8;
/// Most candidates with a column of their own in the table by area; the others share one.
const COLUMNS: usize = 5;

/// Squares side by side from which on drawings need more room.
const DENSE: usize = 60;

/// What every page shows.
pub(crate) struct Frame<'a> {
    w: &'a Words,
    election: &'a Election,
    drill: bool,
    /// Whether the log has statements.
    has_statements: bool,
    log: LogFacts,
    witnessing: Witnessing<'a>,
}

/// What a reader compares with a copy from elsewhere.
struct LogFacts {
    definition: String,
    key: String,
    origin: String,
    size: u64,
    root: String,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(input: &SiteInput<'a>, words: &'a Words) -> Self {
        let definition = input.ledger.definition();
        let election = definition.election();
        Self {
            w: words,
            election,
            drill: election.phase() == Phase::Drill,
            has_statements: !input.ledger.statements().is_empty(),
            witnessing: input.witnessing,
            log: LogFacts {
                definition: definition.hash().to_string(),
                key: input.log.to_string(),
                origin: input.log.name().as_str().to_owned(),
                size: input.ledger.entries(),
                root: input.root.to_base64(),
            },
        }
    }

    /// How much is in.
    fn headline(&self, stations: &Progress) -> Safe<String> {
        let values = [("counted", Value::Count(stations.counted)), ("held", Value::Count(stations.expected))];
        self.w.with(Text::InHeadline, &values)
    }

    /// The same as a drawing.
    #[allow(clippy::unused_self, reason = "called from templates, where methods read best")]
    fn progress(&self, stations: &Progress) -> String {
        chart::progress(stations.counted, stations.quarantined, stations.expected)
    }

    #[allow(clippy::unused_self, reason = "called from templates, where methods read best")]
    fn count(&self, count: u64) -> String {
        grouped(count)
    }

    /// A change with its sign.
    #[allow(clippy::unused_self, reason = "called from templates, where methods read best")]
    fn change(&self, change: i64) -> String {
        signed(change)
    }

    fn stage(&self, stage: LaterStage) -> Safe<&str> {
        self.w.t(stage.into())
    }

    fn reason(&self, reason: Reason) -> Safe<&str> {
        self.w.t(reason.into())
    }

    /// How many stations a correction brings into the count or takes out of it, and its annulment, if it is one.
    fn corrected(&self, correction: &Corrected<'_>) -> Vec<Safe<&str>> {
        let annuls = correction.annuls.then_some(Text::CorrectionAnnuls);
        let counts = match correction.stations {
            1.. => Some(Text::CorrectionCountsStation),
            0 => None,
            _ => Some(Text::CorrectionUncountsStation),
        };
        let none = (correction.changes.is_empty() && annuls.is_none()).then_some(Text::CorrectionNoChange);
        annuls.into_iter().chain(counts).chain(none).map(|text| self.w.t(text)).collect()
    }

    /// Heading of the stations of one status.
    fn status(&self, status: SlotStatus) -> Safe<&str> {
        self.w.t(match status {
            SlotStatus::Counted => Text::ColumnCounted,
            SlotStatus::Quarantined => Text::ColumnQuarantined,
            SlotStatus::Missing => Text::ColumnMissing,
        })
    }

    fn figure(&self, figure: Figure) -> Safe<&str> {
        self.w.t(figure.into())
    }

    fn severity(&self, severity: Severity) -> Safe<&str> {
        self.w.t(severity.into())
    }

    fn poll_day(&self) -> Safe<String> {
        self.w.with(Text::PollDay, &[("date", self.election.date().into())])
    }

    fn log_state(&self) -> Safe<String> {
        self.w.with(Text::LogState, &[("size", self.log.size.into())])
    }

    fn log_end(&self) -> Safe<&str> {
        self.w.t(if self.witnessing.finished { Text::LogFinished } else { Text::LogOpen })
    }

    /// Who has seen the same log.
    fn cosigned(&self) -> Option<Safe<String>> {
        let Witnessing { size, witnesses, .. } = self.witnessing;
        let names = witnesses.join(", ");
        let values = [("size", Value::Count(size)), ("names", names.as_str().into())];
        (!witnesses.is_empty()).then(|| self.w.with(Text::LogCosigned, &values))
    }

    /// The rolls of the counted stations, and what the register does not say.
    fn roll(&self, registered: &Registered) -> Safe<String> {
        let values = [("counted", Value::Count(registered.counted)), ("all", Value::Count(registered.all))];
        let mut text = self.w.with(Text::FiguresRoll, &values);
        if registered.unknown > 0 {
            text.0.push(' ');
            text.0.push_str(&self.w.n(Text::FiguresRollUnknown, registered.unknown).0);
        }
        text
    }

    fn source(&self) -> Option<Safe<String>> {
        self.election.source().map(|source| self.w.with(Text::FiguresSource, &[("source", source.into())]))
    }

    fn area_name(&self, name: Option<&str>) -> Safe<String> {
        match name {
            Some(name) => Safe(crate::words::escaped(name)),
            None => Safe(self.w.t(Text::AreaDirect).0.to_owned()),
        }
    }
}

#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage<'a> {
    frame: &'a Frame<'a>,
    contests: &'a [ContestView<'a>],
    rejected: u64,
    /// The last one first.
    bulletins: Vec<BulletinRow>,
}

/// A bulletin in effect, with the files of its folder in the bundle.
struct BulletinRow {
    title: Safe<String>,
    made: String,
    size: u64,
    folder: String,
    forms: Vec<(&'static str, Text)>,
}

impl BulletinRow {
    fn all(input: &SiteInput<'_>, words: &Words) -> Vec<Self> {
        let row = |it: &IssuedBulletin| {
            let number = it.stated.number.to_string();
            Self {
                title: words.with(Text::BulletinTitle, &[("number", number.as_str().into())]),
                made: bulletin::calendar::shown(it.made_at),
                size: it.stated.tree_size,
                folder: format!("../bulletins/{number}"),
                forms: bulletin::forms(input.ledger.definition().election()),
            }
        };
        input.ledger.bulletins().iter().rev().map(row).collect()
    }
}

#[derive(Template)]
#[template(path = "contest.html")]
struct ContestPage<'a> {
    frame: &'a Frame<'a>,
    c: &'a ContestView<'a>,
    bars: Vec<RankedRow<'a>>,
    more: u64,
    /// What can still change.
    statement: Safe<String>,
    /// What that rests on.
    premises: Safe<String>,
    /// The seats; empty where the votes say as much.
    seats: Safe<String>,
    /// Names of the candidates with a column of their own.
    columns: Vec<&'a str>,
    others: bool,
    areas: Vec<AreaRow>,
    /// Whether the squares are so many that the drawings need more room.
    dense: bool,
}

/// An area in the tables and among the drawings.
struct AreaRow {
    name: Safe<String>,
    href: String,
    stations: Progress,
    waffle: String,
    /// Votes of the candidates with a column of their own.
    votes: Vec<u64>,
    /// Votes of all other candidates, where there are any.
    others: Option<u64>,
}

/// All pages, with their paths below `site/`.
pub(crate) fn all(input: &SiteInput<'_>, contests: &[ContestView<'_>]) -> Vec<(String, String)> {
    let words = Words::new();
    let frame = Frame::new(input, &words);
    let mut fragments = Fragments::new();
    let rejected = input.ledger.summary().rejected;
    let bulletins = BulletinRow::all(input, &words);
    let index = IndexPage { frame: &frame, contests, rejected, bulletins };
    let mut pages = vec![("index.html".to_owned(), html(&index))];
    for contest in contests {
        let lists = Lists::plan(contest);
        pages.push((
            format!("contest-{}.html", contest.no),
            html(&ContestPage::new(&frame, contest, &lists, &mut fragments)),
        ));
        pages.extend(lists.pages(&frame, contest));
    }
    pages
}

/// Writing to memory fails only where a value's own `Display` does, and none of ours can.
fn html(page: &impl Template) -> String {
    page.render().unwrap_or_default()
}

impl<'a> ContestPage<'a> {
    fn new(frame: &'a Frame<'a>, contest: &'a ContestView<'a>, lists: &Lists, fragments: &mut Fragments) -> Self {
        let definition = frame.election.contest(contest.no);
        let seats = definition.map(|definition| bulletin::seats(definition, contest.outcome)).unwrap_or_default();
        let settled = bulletin::settled(frame.election, contest.outcome);
        let (statement, premises) = settled.split_at(settled.len().min(1));
        let mut bars = contest.ranked();
        let more = bars.len().saturating_sub(BARS);
        bars.truncate(BARS);
        let own = own_columns(contest);
        Self {
            frame,
            c: contest,
            bars,
            more: more as u64,
            statement: Safe(fragments.html(statement)),
            premises: Safe(fragments.html(premises)),
            seats: Safe(fragments.html(&seats)),
            columns: own.iter().filter_map(|&index| Some(contest.candidates.get(index)?.name)).collect(),
            others: own.len() < contest.candidates.len(),
            areas: areas(frame, contest, lists, &own),
            dense: waffle_columns(&contest.groups) >= DENSE,
        }
    }
}

/// The candidates with a column of their own, in ballot order: all, or those with the most votes.
fn own_columns(contest: &ContestView<'_>) -> Vec<usize> {
    let mut own = contest.order();
    if own.len() > COLUMNS {
        own.truncate(COLUMNS - 1);
    }
    own.sort_unstable();
    own
}

fn areas(frame: &Frame<'_>, contest: &ContestView<'_>, lists: &Lists, own: &[usize]) -> Vec<AreaRow> {
    let columns = waffle_columns(&contest.groups);
    let row = |(index, group): (usize, &Group<'_>)| {
        let votes: Vec<u64> = own.iter().filter_map(|&candidate| group.votes.get(candidate).copied()).collect();
        let others = group.votes.iter().sum::<u64>().saturating_sub(votes.iter().sum());
        AreaRow {
            name: frame.area_name(group.name),
            href: lists.href(contest, index),
            stations: group.stations,
            waffle: chart::waffle(&group.statuses(), columns, "waffle"),
            others: (own.len() < group.votes.len()).then_some(others),
            votes,
        }
    };
    contest.groups.iter().enumerate().map(row).collect()
}

/// Squares side by side, the same in every area, so that a square is of one size throughout the contest.
fn waffle_columns(groups: &[Group<'_>]) -> usize {
    match (groups.len(), groups.iter().map(|group| group.slots.len()).max().unwrap_or(0)) {
        (1, 0..=1_000) => 40,
        (1, _) => 100,
        (_, 0..=400) => 20,
        (_, 401..=1_500) => 30,
        (_, 1_501..=6_000) => 60,
        _ => 100,
    }
}
