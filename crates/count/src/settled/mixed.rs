//! Mixed systems: seats won by name in contests of their own, and seats of lists.

use std::{collections::BTreeMap, fmt};

use super::{Kind, Premise, Question, SettledError, Statement, premise, settle};

/// How the parts come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixedRule {
    /// The lists' seats come on top of those won by name.
    Parallel,
    /// A list has what its votes are due, or what it won by name, whichever is more.
    Added,
}

/// What can still change in a mixed system. It is settled if each of its parts is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixedStatement {
    lists: Statement,
    nominal: Vec<Statement>,
    premises: Vec<PartPremise>,
    seats: Vec<MixedRange>,
}

/// A premise of a mixed system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartPremise {
    /// The part that it is about; `None` if it is about all of them.
    pub part: Option<String>,
    /// The premise.
    pub premise: Premise,
}

impl fmt::Display for PartPremise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(part) => write!(f, "{part}: {}", self.premise),
            None => self.premise.fmt(f),
        }
    }
}

/// How many seats a list has and can have, those won by name among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixedRange {
    /// The list, or whoever stands by name alone.
    pub id: String,
    /// By the counted votes.
    pub now: u64,
    /// Whatever the outstanding stations hold.
    pub least: u64,
    /// It cannot have more.
    pub most: u64,
}

/// Answers for a mixed system. In the contests of names an option's id is its list's.
pub fn settle_mixed(lists: &Question, nominal: &[Question], rule: MixedRule) -> Result<MixedStatement, SettledError> {
    let is_lists = matches!(lists.contest.kind, Kind::Lists { .. });
    if nominal.is_empty() || !is_lists || nominal.iter().any(|question| question.contest.kind != Kind::Plurality) {
        return Err(SettledError::Mixed);
    }
    let statement = settle(lists)?;
    let by_name = nominal.iter().map(settle).collect::<Result<Vec<_>, _>>()?;
    let bounded = by_name.iter().chain([&statement]).all(|part| part.bound().is_some());
    let seats = if bounded { ranges(&statement, nominal, &by_name, rule) } else { Vec::new() };
    let premises = premises(rule, &statement, &by_name);
    Ok(MixedStatement { lists: statement, nominal: by_name, premises, seats })
}

/// What all parts rest on is said once.
fn premises(rule: MixedRule, lists: &Statement, nominal: &[Statement]) -> Vec<PartPremise> {
    let is_common = |premise: &Premise| nominal.iter().all(|part| part.premises().contains(premise));
    let (common, of_lists): (Vec<&Premise>, Vec<&Premise>) = lists.premises().iter().partition(|it| is_common(it));
    let whole = common.iter().copied().cloned().chain([Premise::Mixed(rule)]);
    let whole = whole.map(|premise| PartPremise { part: None, premise });
    let of = |part: &Statement, premise: &Premise| PartPremise {
        part: Some(part.contest().to_owned()),
        premise: premise.clone(),
    };
    let by_name = nominal.iter().flat_map(|part| part.premises().iter().map(move |premise| (part, premise)));
    let by_name = by_name.filter(|(_, premise)| !common.contains(premise)).map(|(part, premise)| of(part, premise));
    whole.chain(by_name).chain(of_lists.into_iter().map(|premise| of(lists, premise))).collect()
}

fn ranges(lists: &Statement, questions: &[Question], nominal: &[Statement], rule: MixedRule) -> Vec<MixedRange> {
    // Now, least and most, each by votes for the list and by name.
    let mut found: BTreeMap<&str, [(u64, u64); 3]> = BTreeMap::new();
    for range in lists.seats() {
        found.insert(&lists.options()[range.list], [(range.now, 0), (range.least, 0), (range.most, 0)]);
    }
    for (question, statement) in questions.iter().zip(nominal) {
        let bound = statement.bound().unwrap_or_default();
        let votes = |of: usize| question.contest.options[of].1;
        for (option, id) in statement.options().iter().enumerate() {
            let best = (0..statement.options().len()).filter(|&other| other != option).map(votes).max();
            let is_first = best.is_none_or(|best| votes(option) > best);
            let can_be = best.is_none_or(|best| votes(option) + bound >= best);
            let [now, least, most] = found.entry(id).or_default();
            now.1 += u64::from(is_first);
            least.1 += u64::from(is_first && statement.settled());
            most.1 += u64::from(can_be);
        }
    }
    let together = |(by_votes, by_name): (u64, u64)| match rule {
        MixedRule::Parallel => by_votes + by_name,
        MixedRule::Added => by_votes.max(by_name),
    };
    let range = |(id, seats): (&str, [(u64, u64); 3])| {
        let [now, least, most] = seats.map(together);
        MixedRange { id: id.to_owned(), now, least, most }
    };
    found.into_iter().map(range).collect()
}

impl MixedStatement {
    /// The contest of lists.
    pub fn lists(&self) -> &Statement {
        &self.lists
    }

    /// The contests of names.
    pub fn nominal(&self) -> &[Statement] {
        &self.nominal
    }

    /// Whether every part is settled.
    pub fn settled(&self) -> bool {
        self.nominal.iter().chain([&self.lists]).all(Statement::settled)
    }

    /// The part that is nearest to a change: the statement of the whole is that of this part.
    pub fn nearest(&self) -> &Statement {
        let slack = |part: &&Statement| {
            let lead = part.lead().map_or(i128::MAX, i128::from);
            (part.settled(), lead.saturating_sub(part.bound().map_or(i128::MAX, i128::from)))
        };
        self.nominal.iter().chain([&self.lists]).min_by_key(slack).unwrap_or(&self.lists)
    }

    /// Everything that the statement rests on.
    pub fn premises(&self) -> &[PartPremise] {
        &self.premises
    }

    /// Each list's seats in all, where the outstanding votes have a bound.
    pub fn seats(&self) -> &[MixedRange] {
        &self.seats
    }
}

impl fmt::Display for MixedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence =
            format!("Of all parts {} is nearest to a change. {}", self.nearest().contest(), self.nearest().sentence());
        premise::write(f, &sentence, &self.premises)
    }
}
