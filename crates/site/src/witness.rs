//! The page of a witness: what it holds, what it recounted, where it differs. One HTML file that needs nothing beside it.

use askama::{Template, filters::Safe};

use crate::{
    messages::{Text, Value},
    number::grouped,
    style,
    words::Words,
};

/// What a witness says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessReport {
    /// Name of its key.
    pub name: String,
    /// Name of the election.
    pub election: String,
    /// Whether the election is a drill.
    pub drill: bool,
    /// Definition hash.
    pub definition: String,
    /// C2SP verifier key of the log.
    pub log: String,
    /// Entries held.
    pub held: u64,
    /// Base64 of the log's root at that size.
    pub root: String,
    /// Entries verified and counted.
    pub recounted: u64,
    /// Entries under the last checkpoint cosigned.
    pub cosigned: Option<u64>,
    /// Stations counted, in quarantine and missing, once for each contest; records rejected.
    pub slots: Slots,
    /// Tree size at which the centre's totals are the same; nothing if they were not compared or differ.
    pub same_totals_at: Option<u64>,
    /// Every alarm, in its own words.
    pub alarms: Vec<String>,
    /// What keeps the witness from its work at the moment.
    pub trouble: Option<String>,
    /// The sums, by contest.
    pub contests: Vec<WitnessContest>,
}

/// Stations by what is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Counted.
    pub counted: u64,
    /// In quarantine.
    pub quarantined: u64,
    /// Without a record that could be counted.
    pub missing: u64,
    /// Records rejected.
    pub rejected: u64,
}

/// The sums of one contest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessContest {
    /// Its name.
    pub name: String,
    /// Candidates in order of the ballot, with their votes.
    pub candidates: Vec<(String, u64)>,
}

#[derive(Template)]
#[template(path = "witness.html")]
struct Page<'a> {
    r: &'a WitnessReport,
    w: &'a Words,
    css: String,
    script: &'static str,
}

impl Page<'_> {
    fn count(&self, count: u64) -> String {
        let _ = self;
        grouped(count)
    }

    fn counts(&self) -> Safe<String> {
        let Slots { counted, quarantined, missing, rejected } = self.r.slots;
        let values = [
            ("counted", Value::Count(counted)),
            ("quarantined", Value::Count(quarantined)),
            ("missing", Value::Count(missing)),
            ("rejected", Value::Count(rejected)),
        ];
        self.w.with(Text::WitnessCounts, &values)
    }

    fn trouble(&self) -> Option<Safe<String>> {
        let what = self.r.trouble.as_deref()?;
        Some(self.w.with(Text::WitnessTrouble, &[("what", Value::Text(what))]))
    }

    fn differs(&self) -> u64 {
        self.r.alarms.len() as u64
    }
}

/// The page: style and script inside, nothing loaded, complete without the script.
pub fn render(report: &WitnessReport) -> String {
    let words = Words::new();
    let page =
        Page { r: report, w: &words, css: style::witness_sheet(), script: include_str!("../templates/language.js") };
    // Writing to memory fails only where a value's own `Display` does, and none of ours can.
    page.render().unwrap_or_default()
}
