//! What a witness says of itself: what it holds, what it recounted, where it differs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tallyproof_count::Totals;
use tallyproof_record::definition::Committed;
use tallyproof_site::witness::{Slots, WitnessContest, WitnessReport};
use tallyproof_witness::follower::Compared;

use super::Shared;
use super::alarm::Alarm;
use super::pursuit::Pursuit;
use crate::package::ProblemRow;

/// `GET /status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WitnessStatus {
    /// C2SP verifier keys of the witness.
    pub keys: Vec<String>,
    /// C2SP verifier key of the log.
    pub log: String,
    /// Definition hash.
    pub definition: String,
    /// `drill` or `official`.
    pub phase: String,
    /// Entries held under the largest checkpoint of the log that was taken in.
    pub tree_size: u64,
    /// Base64 of the root at that size.
    pub root: String,
    /// Entries verified and counted.
    pub recounted: u64,
    /// Entries under the last checkpoint cosigned; nothing before the first.
    pub cosigned: Option<u64>,
    /// Records in the log.
    pub records: u64,
    /// Stations counted, once for each contest.
    pub counted: u64,
    /// Stations in quarantine, once for each contest.
    pub quarantined: u64,
    /// Stations without a record that could be counted, once for each contest.
    pub missing: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Votes by contest id and candidate id, as recounted.
    pub totals: BTreeMap<String, BTreeMap<String, u64>>,
    /// Tree size at which the centre's published totals were last found to be the same; nothing if they were not compared or differ.
    pub same_totals_at: Option<u64>,
    /// Entries that no honest log holds, the first ones.
    pub problems: Vec<ProblemRow>,
    /// How many there are.
    pub problem_count: u64,
    /// Every alarm raised.
    pub alarms: Vec<Alarm>,
    /// What keeps the witness from following or storing at the moment; nothing if all is well.
    pub trouble: Option<String>,
}

impl WitnessStatus {
    /// As things stand.
    pub(super) fn of(shared: &Shared, pursuit: &Pursuit, trouble: Option<String>) -> Self {
        let follower = &pursuit.follower;
        let (ledger, tree) = (follower.ledger(), follower.tree());
        let summary = ledger.summary();
        let (problems, problem_count) = follower.problems();
        let cosigner = shared.cosigner();
        Self {
            keys: cosigner.keys().map(ToString::to_string).collect(),
            log: shared.log.to_string(),
            definition: shared.definition.to_string(),
            phase: ledger.definition().election().phase().to_string(),
            tree_size: tree.size(),
            root: tree.root().to_base64(),
            recounted: ledger.entries(),
            cosigned: cosigner.last().map(|last| last.checkpoint().size),
            records: summary.records,
            counted: summary.counted,
            quarantined: summary.quarantined,
            missing: summary.missing,
            rejected: summary.rejected,
            totals: Totals::of(ledger).by_candidate(),
            same_totals_at: match follower.compared() {
                Compared::Same { size } => Some(size),
                Compared::NotYet | Compared::Differs(_) => None,
            },
            problems: problems.iter().map(ProblemRow::from).collect(),
            problem_count,
            alarms: shared.alarms.all(),
            trouble,
        }
    }
    /// The page for people, with the names of the definition.
    pub(super) fn page(&self, definition: &Committed) -> WitnessReport {
        let election = definition.election();
        let votes = |contest: &str, candidate: &str| self.totals.get(contest)?.get(candidate).copied();
        let contests = election.contests().iter().map(|contest| WitnessContest {
            name: contest.name.clone(),
            candidates: contest
                .candidates
                .iter()
                .map(|candidate| (candidate.name.clone(), votes(&contest.id, &candidate.id).unwrap_or(0)))
                .collect(),
        });
        WitnessReport {
            name: self.keys.first().and_then(|key| key.split('+').next()).unwrap_or_default().to_owned(),
            election: election.name().to_owned(),
            drill: self.phase == "drill",
            definition: self.definition.clone(),
            log: self.log.clone(),
            held: self.tree_size,
            root: self.root.clone(),
            recounted: self.recounted,
            cosigned: self.cosigned,
            slots: Slots {
                counted: self.counted,
                quarantined: self.quarantined,
                missing: self.missing,
                rejected: self.rejected,
            },
            same_totals_at: self.same_totals_at,
            alarms: self.alarms.iter().map(|alarm| alarm.what.clone()).collect(),
            trouble: self.trouble.clone(),
            contests: contests.collect(),
        }
    }
}
