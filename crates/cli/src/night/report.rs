//! What a night found, for programs and for people.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_count::verify::Verification;
use tallyproof_record::definition::Committed;

use super::bulletins::BulletinRow;
use super::witnesses::{Conduct, ForkAnswer, WitnessRow};
use super::{NightPlan, Phases};
use crate::centre::CentreStats;
use crate::field::Counters;
use crate::package::ProblemRow;
use crate::printer::Report;
use crate::table;

/// The one path of a night.
const PATH: usize = 0;

/// The result of `tallyproof night`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NightReport {
    /// Display name of the election.
    pub election: String,
    /// Definition hash.
    pub definition: String,
    /// Always `drill`.
    pub phase: String,
    /// Stations in the register.
    pub stations: u64,
    /// Distinct records that stations sealed and sent.
    pub records_sent: u64,
    /// Datagrams that stations sent, retries included.
    pub datagrams_sent: u64,
    /// Receipts that verified at the stations.
    pub receipts: u64,
    /// Stations counted, once for each contest.
    pub counted: u64,
    /// Stations quarantined, once for each contest.
    pub quarantined: u64,
    /// Stations without a record that could be counted, once for each contest.
    pub missing: u64,
    /// Records that are in the log as events and not counted.
    pub rejected: u64,
    /// Votes by contest and candidate, as verified.
    pub totals: BTreeMap<String, BTreeMap<String, u64>>,
    /// Datagrams sent by those who have no signing key.
    pub hostile_sent: u64,
    /// Of those, how many reached the centre and were refused there.
    pub hostile_received: u64,
    /// Datagrams and records that the centre turned away, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Bulletins that were issued, in their order.
    pub bulletins: Vec<BulletinRow>,
    /// Stations and contests that did not end where they had to.
    pub unaccounted: Vec<String>,
    /// Witnesses of the policy.
    pub witnesses: u64,
    /// Of these, whose cosignatures are on the final checkpoint and hold, as verified.
    pub cosignatures: u64,
    /// How each witness behaved.
    pub witness_reports: Vec<WitnessRow>,
    /// Whether the log is finished: the final checkpoint has the witnesses' quorum and is pinned.
    pub frozen: bool,
    /// Entries in the log.
    pub tree_size: u64,
    /// Base64 of the log's root.
    pub root: String,
    /// Seconds for the whole night, verification included.
    pub seconds: f64,
    /// Where the seconds went.
    pub seconds_by_phase: BTreeMap<String, f64>,
    /// Whether the bundle verified without a problem.
    pub verified: bool,
    /// Problems that the verification found.
    pub problems: Vec<ProblemRow>,
    /// What the verification showed and what it did not.
    pub statement: String,
    /// The bundle's folder.
    pub bundle: String,
}

impl NightReport {
    /// Whether the bundle verified, is finished, and every record ended where it had to.
    pub fn holds(&self) -> bool {
        self.verified && self.frozen && self.unaccounted.is_empty()
    }
}

impl NightReport {
    fn write_witnesses(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let final_checkpoint = if self.frozen {
            "the final checkpoint is pinned"
        } else {
            "the quorum did not come: the log is not finished"
        };
        writeln!(out, "{} of {} witnesses cosigned; {final_checkpoint}", self.cosignatures, self.witnesses)?;
        for row in &self.witness_reports {
            if let Some(what) = row.remark() {
                writeln!(out, "{}: {what}", row.name)?;
            }
        }
        writeln!(out)
    }
}

impl WitnessRow {
    /// What a reader should know of a witness; nothing where all went as it goes.
    fn remark(&self) -> Option<String> {
        let fork = self.offered_fork.map(|answer| match answer {
            ForkAnswer::ProofKept => "refused a fork of the log that it was offered, and keeps the proof",
            ForkAnswer::Refused => "refused a fork of the log that it was offered",
            ForkAnswer::Cosigned => "cosigned a fork of the log too: alone it is short of the quorum, and its two cosignatures exclude each other",
            ForkAnswer::Silent => "gave no answer to a fork of the log",
        });
        match self.conduct {
            Conduct::Offline => Some("offline all night".into()),
            Conduct::Lying | Conduct::Honest if fork.is_some() => fork.map(str::to_owned),
            _ if !self.on_final => {
                let why = self.trouble.as_ref().map(|why| format!(": {}", why.escape_debug())).unwrap_or_default();
                Some(format!("did not cosign the final checkpoint in time{why}"))
            }
            _ => None,
        }
    }
}

/// What a report is made from.
pub(super) struct Outcome<'a> {
    pub(super) definition: &'a Committed,
    pub(super) plan: &'a NightPlan,
    pub(super) counters: &'a Counters,
    pub(super) records: u64,
    pub(super) phases: Phases,
    pub(super) bulletins: Vec<BulletinRow>,
    pub(super) stats: &'a CentreStats,
    pub(super) witnesses: Vec<WitnessRow>,
    pub(super) frozen: bool,
    pub(super) verification: &'a Verification,
    pub(super) unaccounted: Vec<String>,
    pub(super) counted_in: Duration,
    pub(super) verified_in: Duration,
}

pub(super) fn make(outcome: Outcome<'_>) -> NightReport {
    let Outcome {
        definition,
        plan,
        counters,
        records,
        phases,
        bulletins,
        stats,
        witnesses,
        frozen,
        verification,
        unaccounted,
        counted_in,
        verified_in,
    } = outcome;
    let seconds = |name: &str, time: Duration| (name.to_owned(), time.as_secs_f64());
    NightReport {
        election: definition.election().name().to_owned(),
        definition: definition.hash().to_string(),
        phase: definition.election().phase().to_string(),
        stations: definition.election().stations().len() as u64,
        records_sent: records,
        datagrams_sent: counters.sent(PATH),
        receipts: counters.all_receipts(),
        counted: verification.counted,
        quarantined: verification.quarantined,
        missing: verification.missing,
        rejected: verification.rejected,
        totals: verification.totals.clone(),
        hostile_sent: counters.forged(),
        hostile_received: stats.refused_total(),
        refused: turned_away(stats),
        bulletins,
        unaccounted,
        witnesses: witnesses.len() as u64,
        cosignatures: verification.cosignatures,
        witness_reports: witnesses,
        frozen,
        tree_size: verification.tree_size,
        root: verification.root.clone(),
        seconds: (counted_in + verified_in).as_secs_f64(),
        seconds_by_phase: BTreeMap::from([
            seconds("seal", phases.sealing),
            seconds("send", phases.sending),
            seconds("publish", phases.publishing),
            seconds("bulletin", phases.bulletins),
            seconds("witness", phases.witnessing),
            seconds("verify", verified_in),
        ]),
        verified: verification.ok,
        problems: verification.problems.iter().map(ProblemRow::from).collect(),
        statement: verification.statement.clone(),
        bundle: plan.bundle.display().to_string(),
    }
}

/// What the centre turned away, by reason, reasons that did not occur left out.
fn turned_away(stats: &CentreStats) -> BTreeMap<String, u64> {
    let gate = stats.drops_by_reason();
    let intake = stats.refused.iter().map(|&(refusal, count)| (refusal.as_str(), count));
    let all = gate.chain(intake).chain([("queue full", stats.queue_full)]);
    all.filter(|&(_, count)| count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}

impl Report for NightReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut facts = table::new(["", "count"]);
        let mut fact = |name: &str, value: u64| {
            facts.add_row([name.to_owned(), table::grouped(value)]);
        };
        fact("stations in the register", self.stations);
        fact("records sent", self.records_sent);
        fact("datagrams, retries included", self.datagrams_sent);
        fact("receipts", self.receipts);
        fact("counted", self.counted);
        fact("quarantined", self.quarantined);
        fact("missing", self.missing);
        fact("rejected records", self.rejected);
        fact("hostile datagrams sent", self.hostile_sent);
        fact("hostile datagrams refused", self.hostile_received);
        table::align_right(&mut facts, [1]);
        writeln!(out, "{} (drill)\n{facts}", self.election)?;
        for (contest, candidates) in &self.totals {
            let mut votes = table::new(["candidate", "votes"]);
            for (candidate, count) in candidates {
                votes.add_row([candidate.clone(), table::grouped(*count)]);
            }
            table::align_right(&mut votes, [1]);
            writeln!(out, "{contest}\n{votes}")?;
        }
        for BulletinRow { number, tree_size, counted, expected, share, seconds } in &self.bulletins {
            let [counted, expected, entries] = [*counted, *expected, *tree_size].map(table::grouped);
            writeln!(
                out,
                "bulletin {number} (at {share}): {counted} of {expected} counted, of {entries} log entries, after {seconds:.2} s"
            )?;
        }
        self.write_witnesses(out)?;
        for line in &self.unaccounted {
            writeln!(out, "unaccounted: {line}")?;
        }
        for problem in &self.problems {
            writeln!(out, "{problem}")?;
        }
        let phases: Vec<_> = self.seconds_by_phase.iter().map(|(name, s)| format!("{name} {s:.1} s")).collect();
        writeln!(out, "{:.1} s: {}", self.seconds, phases.join(", "))?;
        writeln!(out, "{}\nbundle: {}", self.statement, self.bundle)
    }
}
