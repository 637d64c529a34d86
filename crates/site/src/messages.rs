//! The message catalogue: every word that pages and terminal forms show, in three languages (Fluent files in `messages/`).
//!
//! A message is plain text. Counts in it are grouped by thin spaces, alike in all three languages, so that a figure
//! copied from one language reads the same in another.

use std::borrow::Cow;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use tallyproof_count::SlotStatus;
use tallyproof_record::{
    definition::Figure,
    rules::{RuleId, Severity},
    statement::{LaterStage, Reason},
};
use unic_langid::LanguageIdentifier;

use crate::number;

/// A language of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
    /// Portuguese.
    Pt,
}

impl Lang {
    /// Every language, in the order in which pages offer them.
    pub const ALL: [Self; 3] = [Self::En, Self::Es, Self::Pt];

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Pt => "pt",
        }
    }

    /// The language of a tag or a POSIX locale, such as `pt-BR` or `es_MX.UTF-8`; `None` if the catalogue lacks it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.']).next()?;
        Self::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.tag()))
    }

    /// What stands between the whole and its decimals.
    pub(crate) fn decimal_mark(self) -> char {
        match self {
            Self::En => '.',
            Self::Es | Self::Pt => ',',
        }
    }

    /// What stands between a figure and its per cent sign.
    pub(crate) fn before_per_cent(self) -> &'static str {
        match self {
            Self::Es => "\u{202f}",
            Self::En | Self::Pt => "",
        }
    }

    fn sources(self) -> &'static [&'static str] {
        match self {
            Self::En => &[include_str!("../messages/en.ftl")],
            Self::Es => &[include_str!("../messages/es.ftl"), include_str!("../messages/rules-es.ftl")],
            Self::Pt => &[include_str!("../messages/pt.ftl"), include_str!("../messages/rules-pt.ftl")],
        }
    }
}

/// What a message leaves open.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A number of things; chooses singular or plural, shown with its thousands apart.
    Count(u64),
    /// A number in thousandths, shown with the language's decimal mark and no more decimals than it needs.
    Thousandths(u64),
    /// Text, shown as it is.
    Text(&'a str),
}

impl From<u64> for Value<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

/// A rule's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWords {
    /// What the rule asks.
    pub text: Cow<'static, str>,
    /// What whoever sees the finding should do.
    pub remedy: Cow<'static, str>,
}

/// The catalogue in one language.
pub struct Messages {
    lang: Lang,
    bundle: FluentBundle<FluentResource>,
}

impl Messages {
    /// The catalogue in `lang`.
    pub fn new(lang: Lang) -> Self {
        let locale: LanguageIdentifier = lang.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // No direction marks around values: all three languages run the same way, and the marks would be copied along.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(|value, _| match value {
            FluentValue::Number(number) => Some(number::group_digits(&format!("{:.0}", number.value))),
            _ => None,
        }));
        for source in lang.sources() {
            // A faulty message is left out here; the tests hold the catalogue complete.
            let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(resource, _)| resource);
            bundle.add_resource_overriding(resource);
        }
        Self { lang, bundle }
    }

    /// The language.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// A text that leaves nothing open.
    pub fn text(&self, text: Text) -> String {
        self.with(text, &[])
    }

    /// A text with its values by name.
    pub fn with(&self, text: Text, values: &[(&'static str, Value<'_>)]) -> String {
        let arguments: FluentArgs<'_> = values
            .iter()
            .map(|&(name, value)| match value {
                Value::Count(count) => (name, FluentValue::from(count)),
                Value::Thousandths(count) => (name, FluentValue::from(number::decimal(count, self.lang))),
                Value::Text(text) => (name, FluentValue::from(text)),
            })
            .collect();
        self.format(text.id(), None, Some(&arguments)).unwrap_or_else(|| text.id().to_owned())
    }

    /// A rule's words; the English ones are the table's.
    pub fn rule(&self, rule: RuleId) -> RuleWords {
        let id = format!("rule-{}", rule.code());
        let row = rule.rule();
        let word = |attribute, english| self.format(&id, attribute, None).map_or(Cow::Borrowed(english), Cow::Owned);
        RuleWords { text: word(None, row.text), remedy: word(Some("remedy"), row.remedy) }
    }

    fn format(&self, id: &str, attribute: Option<&str>, arguments: Option<&FluentArgs<'_>>) -> Option<String> {
        let message = self.bundle.get_message(id)?;
        let pattern = match attribute {
            None => message.value()?,
            Some(name) => message.get_attribute(name)?.value(),
        };
        let mut errors = Vec::new();
        Some(self.bundle.format_pattern(pattern, arguments, &mut errors).into_owned())
    }
}

macro_rules! texts {
    ($($name:ident $id:literal)*) => {
        /// A message, by name. The words stand in `messages/en.ftl`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Text { $(#[doc = concat!("`", $id, "`")] $name),* }

        impl Text {
            /// Every message.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The message's id in the Fluent files.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// The message with this id, if the catalogue has it.
            pub(crate) fn named(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|text| text.id() == id)
            }
        }
    };
}

texts! {
    LanguageName "language-name"
    LanguageChoice "language-choice"
    SkipToContent "skip-to-content"
    DrillBanner "drill-banner"
    NavHome "nav-home"
    NavContest "nav-contest"
    NavStations "nav-stations"
    PollDay "poll-day"
    FiguresSource "figures-source"
    LogState "log-state"
    LogOpen "log-open"
    LogFinished "log-finished"
    LogCosigned "log-cosigned"
    ContestsHeading "contests-heading"
    OpenContest "open-contest"
    QuestionIn "question-in"
    QuestionSum "question-sum"
    QuestionOrder "question-order"
    QuestionCheck "question-check"
    InHeadline "in-headline"
    InRejected "in-rejected"
    InNoneRejected "in-none-rejected"
    StatusCounted "status-counted"
    StatusQuarantined "status-quarantined"
    StatusMissing "status-missing"
    StatusCountedMeans "status-counted-means"
    StatusQuarantinedMeans "status-quarantined-means"
    StatusMissingMeans "status-missing-means"
    SumHeadline "sum-headline"
    SumLegend "sum-legend"
    SumLegendUnknown "sum-legend-unknown"
    SumMore "sum-more"
    ShareRule "share-rule"
    Premises "premises"
    Limits "limits"
    LimitOrder "limit-order"
    LimitCounting "limit-counting"
    LimitFraud "limit-fraud"
    CheckIntro "check-intro"
    CheckDoes "check-does"
    CheckTrust "check-trust"
    CheckCompare "check-compare"
    FactDefinition "fact-definition"
    FactOrigin "fact-origin"
    FactKey "fact-key"
    FactSize "fact-size"
    FactRoot "fact-root"
    CandidatesHeading "candidates-heading"
    LinesHeading "lines-heading"
    LinesNote "lines-note"
    PartiesHeading "parties-heading"
    PartiesNote "parties-note"
    FiguresHeading "figures-heading"
    FiguresNote "figures-note"
    FiguresRoll "figures-roll"
    FiguresRollUnknown "figures-roll-unknown"
    AreasHeading "areas-heading"
    AreasNote "areas-note"
    AreaDirect "area-direct"
    StationsHeading "stations-heading"
    StationsNote "stations-note"
    StationsAll "stations-all"
    StationsRange "stations-range"
    NoneHere "none-here"
    DataHeading "data-heading"
    DataStations "data-stations"
    DataTotals "data-totals"
    DataRegister "data-register"
    DataBallot "data-ballot"
    DataCheckpoint "data-checkpoint"
    ColumnCandidate "column-candidate"
    ColumnLine "column-line"
    ColumnParty "column-party"
    ColumnVotes "column-votes"
    ColumnShare "column-share"
    ColumnArea "column-area"
    ColumnHeld "column-held"
    ColumnCounted "column-counted"
    ColumnQuarantined "column-quarantined"
    ColumnMissing "column-missing"
    ColumnOthers "column-others"
    ColumnFigure "column-figure"
    ColumnSum "column-sum"
    ColumnStated "column-stated"
    ColumnNumber "column-number"
    ColumnStation "column-station"
    ColumnRules "column-rules"
    ColumnEntries "column-entries"
    StandsHeading "stands-heading"
    StandsNote "stands-note"
    StandsNotice "stands-notice"
    ColumnAsCounted "column-as-counted"
    ColumnAsItStands "column-as-it-stands"
    ColumnDifference "column-difference"
    StandsStations "stands-stations"
    CorrectionsHeading "corrections-heading"
    CorrectionsNote "corrections-note"
    ColumnStage "column-stage"
    ColumnEffect "column-effect"
    ColumnSigned "column-signed"
    StageCanvass "stage-canvass"
    StageRuling "stage-ruling"
    StageRerun "stage-rerun"
    CorrectionReplaced "correction-replaced"
    CorrectionAnnuls "correction-annuls"
    CorrectionNoChange "correction-no-change"
    CorrectionCountsStation "correction-counts-station"
    CorrectionUncountsStation "correction-uncounts-station"
    Endorsed "endorsed"
    StationCorrected "station-corrected"
    StationAnnulled "station-annulled"
    DataStatements "data-statements"
    CorrectionTranscription "correction-re-01"
    CorrectionPaperRecord "correction-re-02"
    CorrectionNoRecord "correction-re-03"
    CorrectionConflict "correction-re-04"
    CorrectionCleared "correction-re-05"
    CorrectionRecount "correction-re-06"
    CorrectionRuling "correction-re-07"
    CorrectionAnnulment "correction-re-08"
    CorrectionRerun "correction-re-09"
    CorrectionEarlierCorrection "correction-re-10"
    RulesHeading "rules-heading"
    RuleRemedy "rule-remedy"
    SeverityWarn "severity-warn"
    SeverityQuarantine "severity-quarantine"
    SeverityReject "severity-reject"
    FigureBlank "figure-blank"
    FigureNull "figure-null"
    FigureVoters "figure-voters"
    FigureRegistered "figure-registered"
    FigureTotal "figure-total"
    FigureValid "figure-valid"
    FigureCast "figure-cast"
    FormTitle "form-title"
    FormCount "form-count"
    FormFigure "form-figure"
    FormSum "form-sum"
    FormNotACount "form-not-a-count"
    FormFindings "form-findings"
    FormNoFindings "form-no-findings"
    FormConfirm "form-confirm"
    FormAnswerYes "form-answer-yes"
    FormAnswerNo "form-answer-no"
    FormSealed "form-sealed"
    FormNotSealed "form-not-sealed"
    ReceiptReceived "receipt-received"
    ReceiptWaiting "receipt-waiting"
    ReceiptRejected "receipt-rejected"
    QueueEmpty "queue-empty"
    QueueWaiting "queue-waiting"
    DrillReport "drill-report"
    DrillSeed "drill-seed"
    DrillQuestionIn "drill-question-in"
    DrillQuestionHolds "drill-question-holds"
    DrillQuestionWait "drill-question-wait"
    DrillQuestionAgainst "drill-question-against"
    DrillIn "drill-in"
    DrillInRecords "drill-in-records"
    DrillInMost "drill-in-most"
    DrillHoldsAll "drill-holds-all"
    DrillHoldsNot "drill-holds-not"
    DrillVerified "drill-verified"
    DrillNotVerified "drill-not-verified"
    DrillWaitHalf "drill-wait-half"
    DrillWaitNone "drill-wait-none"
    DrillDatagrams "drill-datagrams"
    DrillAgainst "drill-against"
    DrillAgainstMore "drill-against-more"
    DrillAgainstNone "drill-against-none"
    DrillTimeHeading "drill-time-heading"
    DrillTimeNote "drill-time-note"
    DrillReceiptsASecond "drill-receipts-a-second"
    DrillHostileASecond "drill-hostile-a-second"
    DrillAxis "drill-axis"
    DrillPollClose "drill-poll-close"
    DrillTable "drill-table"
    DrillFaultKilled "drill-fault-killed"
    DrillFaultCut "drill-fault-cut"
    DrillFaultLoss "drill-fault-loss"
    DrillFaultDelay "drill-fault-delay"
    DrillMoment "drill-moment"
    DrillSpan "drill-span"
    DrillPlannedDatagrams "drill-planned-datagrams"
    DrillPlannedRequests "drill-planned-requests"
    DrillPlannedConnections "drill-planned-connections"
    DrillPathsHeading "drill-paths-heading"
    DrillPathsNote "drill-paths-note"
    DrillRejectedHeading "drill-rejected-heading"
    DrillRejectedNote "drill-rejected-note"
    DrillRejectedNone "drill-rejected-none"
    DrillStationsHeading "drill-stations-heading"
    DrillStationsNote "drill-stations-note"
    DrillFloodsHeading "drill-floods-heading"
    DrillFloodsNone "drill-floods-none"
    DrillFaultsHeading "drill-faults-heading"
    DrillLatencyHeading "drill-latency-heading"
    DrillLatencyNote "drill-latency-note"
    DrillLatencyHalf "drill-latency-half"
    DrillLatencyMost "drill-latency-most"
    DrillLatencyLongest "drill-latency-longest"
    DrillCentreHeading "drill-centre-heading"
    DrillCentreMemoryBefore "drill-centre-memory-before"
    DrillCentreMemoryPeak "drill-centre-memory-peak"
    DrillCentreCpuBefore "drill-centre-cpu-before"
    DrillCentreCpuUnder "drill-centre-cpu-under"
    DrillMebibytes "drill-mebibytes"
    DrillCpu "drill-cpu"
    DrillLimitLoopback "drill-limit-loopback"
    DrillLimitCores "drill-limit-cores"
    DrillLimitShared "drill-limit-shared"
    DrillLimitSegmented "drill-limit-segmented"
    DrillLimitSingle "drill-limit-single"
    DrillLimitScript "drill-limit-script"
    WitnessTitle "witness-title"
    WitnessQuestionHolds "witness-question-holds"
    WitnessQuestionRecounted "witness-question-recounted"
    WitnessQuestionDiffers "witness-question-differs"
    WitnessHeld "witness-held"
    WitnessCosigned "witness-cosigned"
    WitnessCosignedNone "witness-cosigned-none"
    WitnessRecounted "witness-recounted"
    WitnessCounts "witness-counts"
    WitnessDiffersNone "witness-differs-none"
    WitnessDiffers "witness-differs"
    WitnessSame "witness-same"
    WitnessNotCompared "witness-not-compared"
    WitnessTrouble "witness-trouble"
    WitnessSumsHeading "witness-sums-heading"
    WitnessSumsNote "witness-sums-note"
    WitnessCompareHeading "witness-compare-heading"
    WitnessCompareNote "witness-compare-note"
    WitnessLimitCopy "witness-limit-copy"
    WitnessLimitPaper "witness-limit-paper"
    ColumnSecond "column-second"
    ColumnMoment "column-moment"
    ColumnReceipts "column-receipts"
    ColumnReceiptsSoFar "column-receipts-so-far"
    ColumnHostile "column-hostile"
    ColumnWithReceipt "column-with-receipt"
    ColumnPath "column-path"
    ColumnKind "column-kind"
    ColumnWhen "column-when"
    ColumnWhat "column-what"
    ColumnPlanned "column-planned"
    ColumnSent "column-sent"
    ColumnReason "column-reason"
    ColumnCount "column-count"
    ColumnWait "column-wait"
    ColumnUsed "column-used"
    ReasonFilter "reason-filter"
    ReasonOverflow "reason-overflow"
    ReasonShort "reason-short"
    ReasonLong "reason-long"
    ReasonMagic "reason-magic"
    ReasonStation "reason-station"
    ReasonEpoch "reason-epoch"
    ReasonTag "reason-tag"
    ReasonWindow "reason-window"
    ReasonReplay "reason-replay"
    ReasonQuota "reason-quota"
    ReasonDigest "reason-digest"
    ReasonQueueFull "reason-queue-full"
    ReasonTooLong "reason-too-long"
    ReasonStructure "reason-structure"
    ReasonKey "reason-key"
    ReasonSignature "reason-signature"
    ReasonElection "reason-election"
    ReasonSigners "reason-signers"
    ReasonKnown "reason-known"
    ReasonNoEffect "reason-no-effect"
    ReasonSource "reason-source"
    ReasonFull "reason-full"
    ReasonDisplaced "reason-displaced"
    ReasonHandshake "reason-handshake"
    ReasonHeaders "reason-headers"
    ReasonBody "reason-body"
    ReasonLength "reason-length"
    ReasonLife "reason-life"
    ReasonBusy "reason-busy"
    HostileGarbage "hostile-garbage"
    HostileTruncated "hostile-truncated"
    HostileOversized "hostile-oversized"
    HostileBadTag "hostile-bad-tag"
    HostileReplay "hostile-replay"
    HostileStolenMac "hostile-stolen-mac"
    HostileStolenKey "hostile-stolen-key"
    HostileConflict "hostile-conflict"
    HostileSlowloris "hostile-slowloris"
    HostileBodyDrip "hostile-body-drip"
    HostileHttpPost "hostile-http-post"
    BulletinTitle "bulletin-title"
    BulletinOfficial "bulletin-official"
    BulletinPoll "bulletin-poll"
    BulletinMade "bulletin-made"
    BulletinRestsOn "bulletin-rests-on"
    BulletinBound "bulletin-bound"
    BulletinSigned "bulletin-signed"
    BulletinUnsigned "bulletin-unsigned"
    BulletinRedo "bulletin-redo"
    BulletinComplete "bulletin-complete"
    BulletinCompact "bulletin-compact"
    BulletinRounding "bulletin-rounding"
    BulletinFactDocument "bulletin-fact-document"
    BulletinFactTotals "bulletin-fact-totals"
    BulletinFactMember "bulletin-fact-member"
    LimitChange "limit-change"
    BulletinOverview "bulletin-overview"
    BulletinParts "bulletin-parts"
    BulletinRollShare "bulletin-roll-share"
    BulletinCorrected "bulletin-corrected"
    BulletinFiguresNote "bulletin-figures-note"
    BulletinMoreAreas "bulletin-more-areas"
    BulletinAreasAsCounted "bulletin-areas-as-counted"
    BulletinQuarantined "bulletin-quarantined"
    BulletinRejected "bulletin-rejected"
    BulletinCorrectedStations "bulletin-corrected-stations"
    BulletinMissing "bulletin-missing"
    BulletinMoreStations "bulletin-more-stations"
    BulletinPage "bulletin-page"
    BulletinForms "bulletin-forms"
    BulletinPdfEnglish "bulletin-pdf-english"
    BulletinPdfSpanish "bulletin-pdf-spanish"
    BulletinPdfPortuguese "bulletin-pdf-portuguese"
    BulletinJson "bulletin-json"
    BulletinCsv "bulletin-csv"
    BulletinsHeading "bulletins-heading"
    BulletinsNote "bulletins-note"
    ColumnContest "column-contest"
    ColumnRejected "column-rejected"
    ColumnRegister "column-register"
    ColumnList "column-list"
    ColumnSeats "column-seats"
    ColumnSeatsLeast "column-seats-least"
    ColumnSeatsMost "column-seats-most"
    ColumnThreshold "column-threshold"
    ColumnBulletin "column-bulletin"
    ColumnMade "column-made"
    ColumnLogSize "column-log-size"
    ColumnForms "column-forms"
    BulletinHtml "bulletin-html"
    SeatsHeading "seats-heading"
    SeatsAdmitted "seats-admitted"
    SeatsBelowThreshold "seats-below-threshold"
    ColumnByName "column-by-name"
    SeatsNone "seats-none"
    SeatsFirst "seats-first"
    SeatsMethod "seats-method"
    SeatsStar "seats-star"
    SeatsNominalOpen "seats-nominal-open"
    SeatsQuota "seats-quota"
    SeatsUnfilled "seats-unfilled"
    SeatsOpen "seats-open"
    SeatsByMoreVotes "seats-by-more-votes"
    SeatsByLot "seats-by-lot"
    SeatsOrder "seats-order"
    SettledHeading "settled-heading"
    SettledSentence "settled-sentence"
    SettledBound "settled-bound"
    SettledUnbounded "settled-unbounded"
    SettledDifference "settled-difference"
    SettledTakes "settled-takes"
    SettledNothing "settled-nothing"
    SettledOrderCan "settled-order-can"
    SettledOrderCannot "settled-order-cannot"
    SettledOutcomeCan "settled-outcome-can"
    SettledOutcomeCannot "settled-outcome-cannot"
    SettledNearest "settled-nearest"
    SettledNone "settled-none"
    SettledCommonHeading "settled-common-heading"
    SettledCommon "settled-common"
    SettledIfToo "settled-if-too"
    SettledIf "settled-if"
    SettledLimit "settled-limit"
    SettledFewest "settled-fewest"
    PremisePublished "premise-published"
    PremiseRecords "premise-records"
    PremiseCorrections "premise-corrections"
    PremiseAllowed "premise-allowed"
    PremisePart "premise-part"
    PremiseNoLaterChange "premise-no-later-change"
    PremiseMissingUnknown "premise-missing-unknown"
    PremiseMissing "premise-missing"
    PremiseMissingQuarantined "premise-missing-quarantined"
    PremiseTurnout "premise-turnout"
    PremiseRegisters "premise-registers"
    PremiseUnbounded "premise-unbounded"
    PremiseTogetherTurnout "premise-together-turnout"
    PremiseTogetherRegister "premise-together-register"
    PremiseTogetherLess "premise-together-less"
    PremiseTogetherLessVotes "premise-together-less-votes"
    PremiseTogetherUnknown "premise-together-unknown"
    PremiseOneVote "premise-one-vote"
    PremiseBlank "premise-blank"
    PremiseParallel "premise-decides-parallel"
    PremiseAdded "premise-decides-added"
    PremiseWithin "premise-decides-within"
    PremiseAlliances "premise-alliances"
    PremiseAlliancesAsOne "premise-alliances-as-one"
    PremiseAlliancesEach "premise-alliances-each"
    BarMoreThan "bar-more-than"
    BarAtLeast "bar-at-least"
    RulePlurality "premise-decides-plurality"
    RuleUnstated "premise-decides-unstated"
    RuleFirst "premise-decides-first"
    RuleMajority "premise-decides-majority"
    RuleRunOff "premise-decides-run-off"
    RuleRunOffAhead "premise-decides-run-off-ahead"
    RuleLists "premise-decides-lists"
    RuleListsThreshold "premise-decides-lists-threshold"
}

impl From<Figure> for Text {
    fn from(figure: Figure) -> Self {
        match figure {
            Figure::Blank => Self::FigureBlank,
            Figure::Null => Self::FigureNull,
            Figure::Voters => Self::FigureVoters,
            Figure::Registered => Self::FigureRegistered,
            Figure::Total => Self::FigureTotal,
        }
    }
}

impl From<SlotStatus> for Text {
    fn from(status: SlotStatus) -> Self {
        match status {
            SlotStatus::Counted => Self::StatusCounted,
            SlotStatus::Quarantined => Self::StatusQuarantined,
            SlotStatus::Missing => Self::StatusMissing,
        }
    }
}

impl From<Severity> for Text {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warn => Self::SeverityWarn,
            Severity::Quarantine => Self::SeverityQuarantine,
            Severity::Reject => Self::SeverityReject,
        }
    }
}

impl From<LaterStage> for Text {
    fn from(stage: LaterStage) -> Self {
        match stage {
            LaterStage::Canvass => Self::StageCanvass,
            LaterStage::Ruling => Self::StageRuling,
            LaterStage::Rerun => Self::StageRerun,
        }
    }
}

impl From<Reason> for Text {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Transcription => Self::CorrectionTranscription,
            Reason::PaperRecord => Self::CorrectionPaperRecord,
            Reason::NoRecord => Self::CorrectionNoRecord,
            Reason::Conflict => Self::CorrectionConflict,
            Reason::Cleared => Self::CorrectionCleared,
            Reason::Recount => Self::CorrectionRecount,
            Reason::Ruling => Self::CorrectionRuling,
            Reason::Annulment => Self::CorrectionAnnulment,
            Reason::Rerun => Self::CorrectionRerun,
            Reason::EarlierCorrection => Self::CorrectionEarlierCorrection,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Message id to the variables that it names, read from the file itself.
    fn declared(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut id = String::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =")
                && !line.starts_with([' ', '}'])
            {
                id = name.to_owned();
                assert!(messages.insert(id.clone(), BTreeSet::new()).is_none(), "{id} stands twice");
            }
            for part in line.split('$').skip(1) {
                let variable = part.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap();
                messages.get_mut(&id).unwrap().insert(variable.to_owned());
            }
        }
        messages
    }

    #[test]
    fn languages_have_the_same_messages_and_variables() {
        let english = declared(Lang::En.sources()[0]);
        for lang in [Lang::Es, Lang::Pt] {
            assert_eq!(declared(lang.sources()[0]), english, "{}", lang.tag());
        }
        let ids: BTreeSet<_> = Text::ALL.iter().map(|text| text.id().to_owned()).collect();
        assert_eq!(ids, english.into_keys().collect());
    }

    #[test]
    fn every_file_parses() {
        for source in Lang::ALL.into_iter().flat_map(Lang::sources) {
            let parsed = FluentResource::try_new((*source).to_owned());
            assert!(parsed.is_ok(), "{:?}", parsed.map_err(|(_, errors)| errors).err());
        }
    }

    #[test]
    fn every_message_formats_without_a_gap() {
        let variables = declared(Lang::En.sources()[0]);
        for lang in Lang::ALL {
            let messages = Messages::new(lang);
            for &text in Text::ALL {
                let mut arguments = FluentArgs::new();
                for variable in &variables[text.id()] {
                    arguments.set(variable.clone(), 2);
                }
                let message = messages.bundle.get_message(text.id()).unwrap();
                let mut errors = Vec::new();
                let shown = messages.bundle.format_pattern(message.value().unwrap(), Some(&arguments), &mut errors);
                assert!(errors.is_empty(), "{lang:?} {text:?}: {errors:?}");
                assert!(!shown.trim().is_empty(), "{lang:?} {text:?} is empty");
            }
        }
    }

    #[test]
    fn every_rule_has_its_own_words_in_each_language() {
        for lang in [Lang::Es, Lang::Pt] {
            let messages = Messages::new(lang);
            for rule in RuleId::all() {
                let (words, row) = (messages.rule(rule), rule.rule());
                assert_ne!(words.text, row.text, "{lang:?} {}", row.code);
                assert_ne!(words.remedy, row.remedy, "{lang:?} {}", row.code);
            }
            let files = declared(lang.sources()[1]);
            assert_eq!(files.keys().filter(|id| id.starts_with("rule-")).count(), RuleId::all().count());
        }
    }

    #[test]
    fn plurals_and_numbers_follow_the_language() {
        let shown = |lang, n: u64| Messages::new(lang).with(Text::SumHeadline, &[("n", n.into())]);
        assert_eq!(shown(Lang::En, 1), "1 valid vote counted");
        assert_eq!(shown(Lang::Es, 1_234_567), "1\u{202f}234\u{202f}567 votos válidos contados");
        assert_eq!(shown(Lang::Pt, 0), "0 voto válido contado");
    }

    #[test]
    fn no_message_names_a_result_as_final() {
        let verdicts = [
            "winner", "wins", "won", "lead", "elected", "ganador", "gana", "ventaja", "electo", "vencedor", "vence",
            "eleito",
        ];
        for source in Lang::ALL.into_iter().flat_map(Lang::sources) {
            // What a definition says that decides a contest has to be said; it is about no figure.
            let spoken: Vec<_> = source.lines().filter(|line| !line.starts_with("premise-decides-")).collect();
            let lower = spoken.join("\n").to_lowercase();
            let words: BTreeSet<_> = lower.split(|c: char| !c.is_alphabetic()).collect();
            for verdict in verdicts {
                assert!(!words.contains(verdict), "{verdict}");
            }
        }
    }

    #[test]
    fn locales_are_recognised() {
        assert_eq!(Lang::from_tag("es_MX.UTF-8"), Some(Lang::Es));
        assert_eq!(Lang::from_tag("PT-br"), Some(Lang::Pt));
        assert_eq!(Lang::from_tag("C"), None);
    }
}
