//! `tallyproof seats`: lists and their votes to seats.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::ValueEnum;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use tallyproof_count::seats::table::Table;
use tallyproof_count::seats::{
    self, Allotment, Each, Method, Mixed, Party, Quotient, Rules, Threshold, TieBreak, TieOutcome,
};
use tallyproof_count::share::Share;

use crate::package::refusal;
use crate::table::{self, grouped};
use crate::{Exit, Printer, Report, files};

const FILE_LIMIT: u64 = 2 << 20;
/// Seats whose order is shown to people; `--json` has all.
const SHOWN: usize = 40;

/// Arguments of `tallyproof seats`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof seats --method dhondt --seats 11 --threshold 0.05 examples/seats/council.csv\n\n\
    The first line of the table is `list,votes`; columns `alliance` (lists that stand together) and `nominal` (seats won by \
    name) may follow. docs/spec/seats.md has the rules.\n\n\
    Ends with 0 if every seat is allotted, with 1 if a tie leaves seats open that no declared rule decides or nobody has votes \
    for them, with 2 if the table or the rules cannot be used."
)]
pub struct Args {
    /// Table of lists with their votes (CSV)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How votes become seats: dhondt, sainte-lague, modified-sainte-lague, hare or droop
    #[arg(long, value_name = "METHOD")]
    method: Method,
    /// Seats to allot
    #[arg(long, value_name = "N")]
    seats: u32,
    /// Share of the votes that a list needs at least: 0.05, 5% or 1/20
    #[arg(long, value_name = "SHARE")]
    threshold: Option<Share>,
    /// Votes that the threshold is a share of, if they are more than the lists' votes
    #[arg(long, value_name = "N")]
    threshold_of: Option<u64>,
    /// An alliance reaches the threshold as one
    #[arg(long)]
    threshold_together: bool,
    /// A tie goes to the list with more votes, before any lot
    #[arg(long)]
    more_votes: bool,
    /// Lists in the order in which they were drawn: a tie goes to the earlier one
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    lot: Vec<String>,
    /// How an alliance splits its seats [default: the method]
    #[arg(long, value_name = "METHOD")]
    inside: Option<Method>,
    /// How seats won by name and seats of lists come together
    #[arg(long, value_name = "SYSTEM")]
    mixed: Option<System>,
}

/// How seats won by name and seats of lists come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum System {
    /// The lists' seats come on top
    Parallel,
    /// Seats won by name count towards what a list is due; the house grows where more are won
    Added,
    /// The same in a house of fixed size
    Within,
}

/// Result of `tallyproof seats`.
#[derive(Debug, Serialize, JsonSchema)]
struct SeatsReport {
    /// How votes become seats.
    method: String,
    /// Seats to allot.
    house: u32,
    /// Seats by list, without those that are open.
    seats: BTreeMap<String, u64>,
    /// Votes by list.
    votes: BTreeMap<String, u64>,
    /// Lists below the threshold.
    below_threshold: Vec<String>,
    /// Votes that a seat stands for, with a largest remainder.
    quota: Option<Fraction>,
    /// Every seat in the order of its claim.
    order: Vec<SeatRow>,
    /// Every tie, also those that decide nothing.
    ties: Vec<TieRow>,
    /// Seats that a tie leaves open, because no declared rule decides.
    open: Vec<OpenRow>,
    /// Seats that no list has votes for.
    unfilled: u64,
    /// Seats won by name beyond what a list is due, by list: the house grows by them.
    added: BTreeMap<String, u64>,
}

/// An exact quotient, not reduced.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct Fraction {
    numerator: i64,
    denominator: u64,
}

/// One seat.
#[derive(Debug, Serialize, JsonSchema)]
struct SeatRow {
    /// From 1.
    seat: u64,
    /// Who has it; null if a tie inside the alliance leaves that open.
    list: Option<String>,
    /// The alliance that it went to.
    alliance: Option<String>,
    /// The quotient that it was given for: votes over a divisor, or quotas that are left. With an alliance, the alliance's.
    #[serde(flatten)]
    claim: Fraction,
    /// The list's quotient within its alliance.
    inside: Option<Fraction>,
    /// Whether a candidate who won by name fills it.
    nominal: bool,
}

/// One tie.
#[derive(Debug, Serialize, JsonSchema)]
struct TieRow {
    /// The quotient of each.
    #[serde(flatten)]
    claim: Fraction,
    /// Lists or alliances with this quotient, in the order in which the rules put them.
    among: Vec<String>,
    /// Seats that were left for them and those after them.
    seats: u64,
    /// The alliance inside which it is.
    alliance: Option<String>,
    /// `seat-for-each`, `more-votes`, `lot` or `open`.
    outcome: &'static str,
}

/// Seats that a tie leaves open.
#[derive(Debug, Serialize, JsonSchema)]
struct OpenRow {
    /// How many.
    seats: u64,
    /// Lists or alliances that they are between.
    among: Vec<String>,
    /// The alliance inside which they are open.
    alliance: Option<String>,
}

impl From<Quotient> for Fraction {
    fn from(quotient: Quotient) -> Self {
        Self { numerator: quotient.numerator, denominator: quotient.denominator }
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl SeatsReport {
    fn new(table: &Table, rules: &Rules, allotment: &Allotment) -> Self {
        let by_list = |figure: &dyn Fn(usize) -> u64| {
            table.names.iter().enumerate().map(|(list, name)| (name.clone(), figure(list))).collect::<BTreeMap<_, _>>()
        };
        let alliance = |number: Option<usize>| number.map(|number| table.alliances[number].clone());
        let party = |party: &Party| match *party {
            Party::List(list) => table.names[list].clone(),
            Party::Alliance(number) => table.alliances[number].clone(),
        };
        let order = (1..).zip(&allotment.order).map(|(seat, given)| SeatRow {
            seat,
            list: given.list.map(|list| table.names[list].clone()),
            alliance: alliance(given.alliance),
            claim: given.claim.into(),
            inside: given.inside.map(Into::into),
            nominal: given.nominal,
        });
        let ties = allotment.ties.iter().map(|tie| TieRow {
            claim: tie.claim.into(),
            among: tie.among.iter().map(party).collect(),
            seats: tie.seats,
            alliance: alliance(tie.inside),
            outcome: outcome(tie.outcome),
        });
        let open = allotment.open.iter().map(|open| OpenRow {
            seats: open.seats,
            among: open.among.iter().map(party).collect(),
            alliance: alliance(open.inside),
        });
        let mut added = by_list(&|list| allotment.lists[list].added);
        added.retain(|_, seats| *seats > 0);
        let below = allotment.lists.iter().zip(&table.names).filter(|(seats, _)| !seats.admitted);
        Self {
            method: rules.method.as_str().to_owned(),
            house: rules.seats,
            seats: by_list(&|list| allotment.lists[list].seats),
            votes: by_list(&|list| table.lists[list].votes),
            below_threshold: below.map(|(_, name)| name.clone()).collect(),
            quota: allotment.quota.map(Into::into),
            order: order.collect(),
            ties: ties.collect(),
            open: open.collect(),
            unfilled: allotment.unfilled,
            added,
        }
    }
}

fn outcome(outcome: TieOutcome) -> &'static str {
    match outcome {
        TieOutcome::SeatForEach => "seat-for-each",
        TieOutcome::MoreVotes => "more-votes",
        TieOutcome::Lot => "lot",
        TieOutcome::Open => "open",
    }
}

impl Report for SeatsReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut rows = table::new(["list", "votes", "seats", ""]);
        for (list, seats) in &self.seats {
            let remark = if self.below_threshold.contains(list) { "below the threshold" } else { "" };
            rows.add_row([list, &grouped(self.votes[list]), &grouped(*seats), remark]);
        }
        table::align_right(&mut rows, [1, 2]);
        writeln!(out, "{rows}\n")?;
        let mut rows = table::new(["seat", "list", "quotient"]);
        for row in self.order.iter().skip(self.order.len().saturating_sub(SHOWN)) {
            let list = row.list.as_deref().unwrap_or("open");
            let list = row.alliance.as_ref().map_or(list.to_owned(), |alliance| format!("{list} ({alliance})"));
            let inside = row.inside.map_or(String::new(), |inside| format!(", inside {inside}"));
            rows.add_row([grouped(row.seat), list, format!("{}{inside}", row.claim)]);
        }
        table::align_right(&mut rows, [0]);
        writeln!(out, "{rows}\n")?;
        if self.order.len() > SHOWN {
            writeln!(out, "the last {SHOWN} seats are shown; --json has all")?;
        }
        for tie in &self.ties {
            let among = tie.among.join(", ");
            writeln!(out, "tie at {} among {among}, seats left {}: {}", tie.claim, grouped(tie.seats), tie.outcome)?;
        }
        for (list, seats) in &self.added {
            writeln!(out, "{list} has {} seats more by name than it is due", grouped(*seats))?;
        }
        for open in &self.open {
            writeln!(out, "open: {} between {}; no declared rule decides", grouped(open.seats), open.among.join(", "))?;
        }
        if self.unfilled > 0 {
            writeln!(out, "unfilled: {}, because no list has votes", grouped(self.unfilled))?;
        }
        writeln!(out, "{} seats by {}", grouped(u64::from(self.house)), self.method)
    }
}

/// Runs `tallyproof seats`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let name = args.file.display().to_string();
    let bytes = files::read(&args.file, FILE_LIMIT)?;
    let table = Table::parse(&bytes, &name)
        .map_err(|problems| refusal(format!("{name} is not a table of lists"), &problems))?;
    let rules = rules(args, &table)?;
    let allotment =
        seats::allot(&table.lists, &rules).with_context(|| format!("no seats can be allotted to {name}"))?;
    printer.report(&SeatsReport::new(&table, &rules, &allotment));
    Ok(Exit::from_holds(allotment.open.is_empty() && allotment.unfilled == 0))
}

fn rules(args: &Args, table: &Table) -> anyhow::Result<Rules> {
    if args.threshold.is_none() && (args.threshold_of.is_some() || args.threshold_together) {
        bail!("there is no threshold that --threshold-of or --threshold-together could belong to; add --threshold");
    }
    if args.mixed.is_none() && table.lists.iter().any(|list| list.nominal > 0) {
        bail!("the table has seats won by name; say with --mixed how they and the lists' seats come together");
    }
    let each = if args.threshold_together { Each::Alliance } else { Each::List };
    let mut ties = Vec::new();
    if args.more_votes {
        ties.push(TieBreak::MoreVotes);
    }
    if !args.lot.is_empty() {
        let number = |drawn: &String| {
            let list = table.names.iter().position(|name| name == drawn);
            list.with_context(|| format!("--lot names {drawn:?}, which is no list of the table"))
        };
        ties.push(TieBreak::Lot(args.lot.iter().map(number).collect::<anyhow::Result<_>>()?));
    }
    Ok(Rules {
        method: args.method,
        seats: args.seats,
        threshold: args.threshold.map(|share| Threshold { share, of: args.threshold_of, each }),
        ties,
        inside: args.inside,
        mixed: args.mixed.map(|system| match system {
            System::Parallel => Mixed::Parallel,
            System::Added => Mixed::Added,
            System::Within => Mixed::Within,
        }),
    })
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("seats", schema_for!(SeatsReport))]
}
