//! What can still change, in the catalogue's words. The English ones are those of `count`, which a test holds them to. There is no
//! way to the statement that leaves out its premises.

use std::borrow::Cow;

use tallyproof_count::{
    outcome::NoStatement,
    seats::Method,
    settled::{Ahead, Answer, Bar, Figures, Kind, MixedRule, PartPremise, Premise, Statement, Together, What},
};
use tallyproof_record::Election;

use super::content::{Block, Part, Phrase, Style};
use crate::messages::Text;

/// Most stations named of the smallest set that could change the outcome, of a few contests and of many.
const NAMED: (usize, usize) = (200, 24);

/// What the statements of all contests rest on alike, said once where there are many of them. Without it each says everything.
#[derive(Clone, Default)]
pub(super) struct Common<'a>(Vec<&'a Premise>);

impl<'a> Common<'a> {
    /// The premises that all statements share.
    pub(super) fn of(answers: impl Iterator<Item = &'a Answer>) -> Self {
        let mut statements = answers.flat_map(parts);
        let Some(first) = statements.next() else { return Self::default() };
        let mut common: Vec<&Premise> = first.premises().iter().collect();
        statements.for_each(|other| common.retain(|premise| other.premises().contains(premise)));
        Self(common)
    }

    /// What they rest on, with what no statement shows.
    pub(super) fn blocks(&self) -> Vec<Block<'a>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let heading = Text::SettledCommonHeading.into();
        vec![
            Block::Heading { level: 2, id: "common".to_owned(), text: heading, place: None },
            Block::Paragraph(Style::Body, Text::SettledCommon.into()),
            Block::Bullets(self.0.iter().map(|it| premise(it)).collect()),
            Block::Paragraph(Style::Note, Text::SettledLimit.into()),
        ]
    }

    fn says(&self, premise: &Premise) -> bool {
        self.0.contains(&premise)
    }
}

/// The statements that an answer is made of.
fn parts(answer: &Answer) -> Vec<&Statement> {
    match answer {
        Answer::Contest(statement) => vec![statement],
        Answer::Mixed(statement) => std::iter::once(statement.lists()).chain(statement.nominal()).collect(),
    }
}

/// The contest's own statement: in a mixed system that of the lists.
pub(super) fn own(settled: &Result<Answer, NoStatement>) -> Option<&Statement> {
    match settled.as_ref().ok()? {
        Answer::Contest(statement) => Some(statement),
        Answer::Mixed(statement) => Some(statement.lists()),
    }
}

/// The statement with all that it rests on, or that there is none.
pub(super) fn blocks<'a>(
    election: &'a Election,
    settled: &'a Result<Answer, NoStatement>,
    common: &Common<'_>,
) -> Vec<Block<'a>> {
    let heading = Block::Heading { level: 3, id: "settled".to_owned(), text: Text::SettledHeading.into(), place: None };
    std::iter::once(heading).chain(said(election, settled, common)).collect()
}

/// As [`blocks`], below another heading.
pub(super) fn said<'a>(
    election: &'a Election,
    settled: &'a Result<Answer, NoStatement>,
    common: &Common<'_>,
) -> Vec<Block<'a>> {
    match settled {
        Ok(answer) => answered(election, answer, common),
        Err(why) => {
            let none = Phrase::Say(Text::SettledNone, vec![("code", why.as_str().into())]);
            vec![Block::Paragraph(Style::Body, none)]
        }
    }
}

fn answered<'a>(election: &'a Election, answer: &'a Answer, common: &Common<'_>) -> Vec<Block<'a>> {
    let compact = !common.0.is_empty();
    let condition = if compact { Text::SettledIfToo } else { Text::SettledIf };
    let mut blocks = vec![
        Block::Paragraph(Style::Statement, whole(election, answer)),
        Block::Paragraph(Style::Body, condition.into()),
        Block::Bullets(premises(election, answer, common)),
    ];
    blocks.extend((!compact).then(|| Block::Paragraph(Style::Note, Text::SettledLimit.into())));
    if let Some(fewest) = answer.nearest().fewest().filter(|it| !it.is_empty()) {
        blocks.push(Block::Paragraph(Style::Body, Phrase::n(Text::SettledFewest, fewest.len() as u64)));
        let named = if compact { NAMED.1 } else { NAMED.0 };
        blocks.push(Block::Items(fewest.iter().take(named).map(|id| Cow::Borrowed(id.as_str())).collect()));
        let more = fewest.len().saturating_sub(named) as u64;
        blocks.extend((more > 0).then(|| Block::Paragraph(Style::Note, Phrase::n(Text::BulletinMoreStations, more))));
    }
    blocks
}

/// A contest's name by its id.
fn name<'a>(election: &'a Election, id: &'a str) -> Part<'a> {
    election.contests().iter().find(|contest| contest.id == id).map_or(id, |contest| &contest.name).into()
}

fn whole<'a>(election: &'a Election, answer: &'a Answer) -> Phrase<'a> {
    let nearest = answer.nearest();
    match answer {
        Answer::Contest(_) => sentence(nearest),
        Answer::Mixed(_) => {
            let values = vec![("part", name(election, nearest.contest())), ("sentence", sentence(nearest).into())];
            Phrase::Say(Text::SettledNearest, values)
        }
    }
}

fn premises<'a>(election: &'a Election, answer: &'a Answer, common: &Common<'_>) -> Vec<Phrase<'a>> {
    match answer {
        Answer::Contest(statement) => statement.premises().iter().filter(|it| !common.says(it)).map(premise).collect(),
        Answer::Mixed(statement) => {
            let of = |it: &'a PartPremise| match &it.part {
                None => premise(&it.premise),
                Some(part) => {
                    let values = vec![("part", name(election, part)), ("premise", premise(&it.premise).into())];
                    Phrase::Say(Text::PremisePart, values)
                }
            };
            statement.premises().iter().filter(|it| !common.says(&it.premise)).map(of).collect()
        }
    }
}

/// `Records not included can hold at most C votes; the difference is M; the order can / cannot change.`
fn sentence(statement: &Statement) -> Phrase<'_> {
    let bound = match statement.bound() {
        Some(bound) => Phrase::Say(Text::SettledBound, vec![("most", Phrase::Count(bound).into())]),
        None => Text::SettledUnbounded.into(),
    };
    let order = matches!(statement.kind(), Kind::Plurality { .. } | Kind::Unstated);
    let overtaken =
        matches!(statement.changes().first(), Some(change) if matches!(change.what, What::Overtaken { .. }));
    let figure = |count: u64| vec![("n", Part::Phrase(Phrase::Count(count)))];
    let lead = match statement.lead() {
        Some(lead) if order && overtaken => Phrase::Say(Text::SettledDifference, figure(lead)),
        Some(lead) => Phrase::Say(Text::SettledTakes, figure(lead)),
        None => Text::SettledNothing.into(),
    };
    let verdict = match (order, statement.settled()) {
        (true, true) => Text::SettledOrderCannot,
        (true, false) => Text::SettledOrderCan,
        (false, true) => Text::SettledOutcomeCannot,
        (false, false) => Text::SettledOutcomeCan,
    };
    Phrase::Say(
        Text::SettledSentence,
        vec![("bound", bound.into()), ("margin", lead.into()), ("verdict", Phrase::from(verdict).into())],
    )
}

/// A part of a sentence that stands only where there is something to count.
fn where_any(text: Text, count: u64) -> Part<'static> {
    let none = Phrase::name("");
    if count == 0 { none.into() } else { Phrase::n(text, count).into() }
}

/// A premise.
pub(super) fn premise(premise: &Premise) -> Phrase<'_> {
    let say = Phrase::Say;
    let figure = |count: u64| Part::Phrase(Phrase::Count(count));
    match premise {
        Premise::Figures(Figures::Published { source }) => {
            say(Text::PremisePublished, vec![("source", source.as_str().into())])
        }
        Premise::Figures(Figures::Records { entries, corrections, definition }) => say(
            Text::PremiseRecords,
            vec![
                ("entries", figure(*entries)),
                ("corrections", where_any(Text::PremiseCorrections, *corrections)),
                ("definition", definition.as_str().into()),
            ],
        ),
        Premise::NoLaterChange => Text::PremiseNoLaterChange.into(),
        Premise::NoOtherStations { missing, quarantined } => others(*missing, *quarantined),
        Premise::TurnoutCounters { stations, votes, allowance } => say(
            Text::PremiseTurnout,
            vec![
                ("n", (*stations).into()),
                ("votes", figure(*votes)),
                ("allowed", where_any(Text::PremiseAllowed, *allowance)),
            ],
        ),
        Premise::Registers { stations, voters, allowance } => say(
            Text::PremiseRegisters,
            vec![
                ("n", (*stations).into()),
                ("voters", figure(*voters)),
                ("allowed", where_any(Text::PremiseAllowed, *allowance)),
            ],
        ),
        Premise::Unbounded { stations } => Phrase::n(Text::PremiseUnbounded, *stations),
        Premise::Together(most, counted) => together(*most, *counted),
        Premise::OneVote => Text::PremiseOneVote.into(),
        Premise::Rule(kind) => rule(*kind),
        Premise::Alliances { lists, inside, as_one } => alliances(lists, *inside, *as_one),
        Premise::BlankCounts(votes) => say(Text::PremiseBlank, vec![("n", figure(*votes))]),
        Premise::Mixed(MixedRule::Parallel) => Text::PremiseParallel.into(),
        Premise::Mixed(MixedRule::Added) => Text::PremiseAdded.into(),
        Premise::Mixed(MixedRule::Within) => Text::PremiseWithin.into(),
    }
}

fn others(missing: Option<u64>, quarantined: u64) -> Phrase<'static> {
    match (missing, quarantined) {
        (None, _) => Text::PremiseMissingUnknown.into(),
        (Some(missing), 0) => Phrase::n(Text::PremiseMissing, missing),
        (Some(missing), quarantined) => {
            let values = vec![("n", missing.into()), ("quarantined", quarantined.into())];
            Phrase::Say(Text::PremiseMissingQuarantined, values)
        }
    }
}

fn together(most: Together, votes: u64) -> Phrase<'static> {
    let figure = |name, count: u64| (name, Part::Phrase(Phrase::Count(count)));
    match most {
        Together::Turnout(turnout) => Phrase::Say(Text::PremiseTogetherTurnout, vec![figure("n", turnout)]),
        Together::Register(voters) => Phrase::Say(Text::PremiseTogetherRegister, vec![figure("n", voters)]),
        Together::RegisterLess { all, counted } => {
            Phrase::Say(Text::PremiseTogetherLess, vec![figure("all", all), figure("counted", counted)])
        }
        Together::RegisterLessVotes { all } => {
            Phrase::Say(Text::PremiseTogetherLessVotes, vec![figure("votes", votes), figure("all", all)])
        }
        Together::Unknown => Text::PremiseTogetherUnknown.into(),
    }
}

fn alliances(lists: &[Vec<String>], inside: Method, as_one: Option<bool>) -> Phrase<'static> {
    let named: Vec<String> = lists.iter().map(|lists| lists.join(" + ")).collect();
    let threshold = match as_one {
        None => Phrase::name(""),
        Some(true) => Text::PremiseAlliancesAsOne.into(),
        Some(false) => Text::PremiseAlliancesEach.into(),
    };
    let values =
        vec![("method", inside.as_str().into()), ("lists", named.join("; ").into()), ("threshold", threshold.into())];
    Phrase::Say(Text::PremiseAlliances, values)
}

fn bar(bar: Bar) -> Part<'static> {
    let text = match bar {
        Bar::MoreThan(_) => Text::BarMoreThan,
        Bar::AtLeast(_) => Text::BarAtLeast,
    };
    Phrase::Say(text, vec![("share", bar.share().to_string().into())]).into()
}

fn rule(kind: Kind) -> Phrase<'static> {
    match kind {
        Kind::Unstated => Text::RuleUnstated.into(),
        Kind::Plurality { seats: 1 } => Text::RulePlurality.into(),
        Kind::Plurality { seats } => Phrase::Say(Text::RuleFirst, vec![("seats", seats.to_string().into())]),
        Kind::Majority(it) => Phrase::Say(Text::RuleMajority, vec![("bar", bar(it))]),
        Kind::RunOff { bar: it, ahead: None } => Phrase::Say(Text::RuleRunOff, vec![("bar", bar(it))]),
        Kind::RunOff { bar: it, ahead: Some(Ahead { reach, by }) } => {
            Phrase::Say(Text::RuleRunOffAhead, vec![("bar", bar(it)), ("reach", bar(reach)), ("by", bar(by))])
        }
        Kind::Lists { method, seats, threshold } => {
            let mut values = vec![("seats", seats.to_string().into()), ("method", method.as_str().into())];
            match threshold {
                None => Phrase::Say(Text::RuleLists, values),
                Some(share) => {
                    values.push(("share", share.to_string().into()));
                    Phrase::Say(Text::RuleListsThreshold, values)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tallyproof_count::{seats::Method, settled::LIMIT, share::Share};

    use super::*;
    use crate::{bulletin::content::Speaker, messages::Lang};

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    fn kinds() -> Vec<Kind> {
        let (half, forty, ten) = (share("50%"), share("40%"), share("10%"));
        let ahead = Ahead { reach: Bar::AtLeast(forty), by: Bar::AtLeast(ten) };
        vec![
            Kind::Unstated,
            Kind::Plurality { seats: 1 },
            Kind::Plurality { seats: 3 },
            Kind::Majority(Bar::MoreThan(half)),
            Kind::RunOff { bar: Bar::MoreThan(half), ahead: None },
            Kind::RunOff { bar: Bar::MoreThan(half), ahead: Some(ahead) },
            Kind::Lists { method: Method::DHondt, seats: 1_000, threshold: None },
            Kind::Lists { method: Method::Hare, seats: 7, threshold: Some(ten) },
        ]
    }

    fn premises() -> Vec<Premise> {
        let definition = || "ab".repeat(32);
        let mut premises = vec![
            Premise::Figures(Figures::Published { source: "a bulletin, page 1".to_owned() }),
            Premise::Figures(Figures::Records { entries: 12_345, corrections: 0, definition: definition() }),
            Premise::Figures(Figures::Records { entries: 12_345, corrections: 2_000, definition: definition() }),
            Premise::NoLaterChange,
            Premise::OneVote,
            Premise::BlankCounts(1_234),
        ];
        for count in [1, 2, 54_321] {
            premises.extend([
                Premise::NoOtherStations { missing: Some(count), quarantined: 0 },
                Premise::NoOtherStations { missing: Some(count), quarantined: 1 },
                Premise::NoOtherStations { missing: Some(count), quarantined: 1_017 },
                Premise::TurnoutCounters { stations: count, votes: 1_500, allowance: 0 },
                Premise::TurnoutCounters { stations: count, votes: 1_500, allowance: 2_000 },
                Premise::Registers { stations: count, voters: 1_500, allowance: 0 },
                Premise::Registers { stations: count, voters: 1_500, allowance: 5 },
                Premise::Unbounded { stations: count },
            ]);
        }
        premises.push(Premise::Figures(Figures::Records { entries: 2, corrections: 1, definition: definition() }));
        premises.push(Premise::NoOtherStations { missing: None, quarantined: 0 });
        for together in [
            Together::Turnout(1_000),
            Together::Register(2_000),
            Together::RegisterLess { all: 3_000, counted: 2_000 },
            Together::RegisterLessVotes { all: 3_000 },
            Together::Unknown,
        ] {
            premises.push(Premise::Together(together, 2_500));
        }
        premises.extend(kinds().into_iter().map(Premise::Rule));
        for as_one in [None, Some(true), Some(false)] {
            let lists = ["a", "b"].map(|id| vec![id.to_owned(), "c".to_owned()]).into();
            premises.push(Premise::Alliances { lists, inside: Method::Hare, as_one });
        }
        premises.extend([MixedRule::Parallel, MixedRule::Added, MixedRule::Within].map(Premise::Mixed));
        premises
    }

    #[test]
    fn the_english_words_are_those_of_the_count() {
        let speaker = Speaker::new(Lang::En);
        for it in premises() {
            assert_eq!(speaker.say(&premise(&it)).replace('\u{202f}', ","), it.to_string());
        }
        assert_eq!(speaker.say(&Text::SettledLimit.into()), LIMIT);
    }

    #[test]
    fn every_premise_has_its_words_in_each_language() {
        let english = Speaker::new(Lang::En);
        for lang in [Lang::Es, Lang::Pt] {
            let speaker = Speaker::new(lang);
            for it in premises() {
                let phrase = premise(&it);
                let said = speaker.say(&phrase);
                assert_ne!(said, english.say(&phrase), "{lang:?}");
                assert!(!said.contains('{') && !said.contains("  "), "{said}");
            }
        }
    }
}
