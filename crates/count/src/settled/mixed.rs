//! Mixed systems: seats won by name in contests of their own, and seats of lists.

use std::{cmp::Reverse, collections::BTreeMap, fmt};

use tallyproof_record::definition::decision::MixedRule;

use super::{Held, Kind, Premise, Question, SettledError, Statement, premise, settle, settle_after};

/// A contest whose seats, won by name, count for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nominal {
    /// The contest; what decides it is plurality.
    pub question: Question,
    /// For each option the list that its seat counts for, if any.
    pub lists: Vec<Option<String>>,
}

impl Nominal {
    /// A contest whose options have their lists' ids.
    pub fn by_id(question: Question) -> Self {
        let lists = question.contest.options.iter().map(|(id, _)| Some(id.clone())).collect();
        Self { question, lists }
    }
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

/// Answers for a mixed system.
pub fn settle_mixed(lists: &Question, nominal: &[Nominal], rule: MixedRule) -> Result<MixedStatement, SettledError> {
    let is_lists = matches!(lists.contest.kind, Kind::Lists { .. });
    let is_nominal = |part: &Nominal| matches!(part.question.contest.kind, Kind::Plurality { .. });
    if nominal.is_empty() || !is_lists || !nominal.iter().all(is_nominal) {
        return Err(SettledError::Mixed);
    }
    if !lists.contest.alliances.lists.is_empty() {
        return Err(SettledError::Alliances);
    }
    let by_name = nominal.iter().map(|part| settle(&part.question)).collect::<Result<Vec<_>, _>>()?;
    let held = if rule == MixedRule::Within { Some(held(lists, nominal)?) } else { None };
    let statement = settle_after(lists, held.as_ref())?;
    let bounded = by_name.iter().chain([&statement]).all(|part| part.bound().is_some());
    // Whom a seat of the house goes to hangs on all those that are won by name.
    let known = rule != MixedRule::Within || nominal.iter().zip(&by_name).all(|(part, found)| is_known(part, found));
    let seats = if bounded && known { ranges(&statement, nominal, &by_name, rule) } else { Vec::new() };
    let premises = premises(rule, &statement, &by_name);
    Ok(MixedStatement { lists: statement, nominal: by_name, premises, seats })
}

/// The seats that lists have by name as it stands; all those won by name, or not yet, are seats of the house.
fn held(lists: &Question, nominal: &[Nominal]) -> Result<Held, SettledError> {
    let Kind::Lists { method, seats, .. } = lists.contest.kind else { return Err(SettledError::Mixed) };
    method.divisor(1).ok_or(SettledError::House)?;
    let (mut left, mut held) = (u64::from(seats), vec![0; lists.contest.options.len()]);
    let numbers: BTreeMap<&str, usize> =
        lists.contest.options.iter().enumerate().map(|(number, (id, _))| (id.as_str(), number)).collect();
    for part in nominal {
        let Kind::Plurality { seats } = part.question.contest.kind else { return Err(SettledError::Mixed) };
        left = left.checked_sub(u64::from(seats)).ok_or(SettledError::House)?;
        for (list, [now, ..]) in part.lists.iter().zip(by_name(&part.question, seats as usize, 0)) {
            let list = list.as_ref().and_then(|list| numbers.get(list.as_str()));
            if let Some(&list) = list.filter(|_| now) {
                held[list] += 1;
            }
        }
    }
    Ok(Held { lists: held, left })
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

fn ranges(lists: &Statement, parts: &[Nominal], nominal: &[Statement], rule: MixedRule) -> Vec<MixedRange> {
    // Now, least and most, each by votes for the list and by name.
    let mut found: BTreeMap<&str, [(u64, u64); 3]> = BTreeMap::new();
    for range in lists.seats() {
        found.insert(&lists.options()[range.list], [(range.now, 0), (range.least, 0), (range.most, 0)]);
    }
    for (part, statement) in parts.iter().zip(nominal) {
        let Kind::Plurality { seats } = statement.kind() else { continue };
        let by_name = by_name(&part.question, seats as usize, statement.bound().unwrap_or_default());
        let mut most: BTreeMap<&str, u64> = BTreeMap::new();
        for (list, [now, least, can]) in part.lists.iter().zip(by_name) {
            let Some(list) = list else { continue };
            let [all_now, all_least, _] = found.entry(list).or_default();
            all_now.1 += u64::from(now);
            all_least.1 += u64::from(least);
            *most.entry(list).or_default() += u64::from(can);
        }
        for (list, most) in most {
            found.entry(list).or_default()[2].1 += most.min(u64::from(seats));
        }
    }
    let together = |(by_votes, by_name): (u64, u64)| match rule {
        MixedRule::Parallel => by_votes + by_name,
        // Within: those by votes come after those by name, and count them.
        MixedRule::Added | MixedRule::Within => by_votes.max(by_name),
    };
    let range = |(id, seats): (&str, [(u64, u64); 3])| {
        let [now, least, most] = seats.map(together);
        MixedRange { id: id.to_owned(), now, least, most }
    };
    found.into_iter().map(range).collect()
}

/// For each option whether it is elected now, whether it is whatever is outstanding, and whether it can be or tie for it.
fn by_name(question: &Question, seats: usize, bound: u64) -> Vec<[bool; 3]> {
    let votes: Vec<u64> = question.contest.options.iter().map(|(_, votes)| *votes).collect();
    let mut ranked = votes.clone();
    ranked.sort_unstable_by_key(|&votes| Reverse(votes));
    let state = |own: u64| {
        // The others by votes: who has the same votes is an other, too.
        let place = ranked.partition_point(|&votes| votes > own);
        let others = || ranked[..place].iter().chain(&ranked[(place + 1).min(ranked.len())..]).copied();
        // The one that has to be behind for a seat; with fewer others there is a seat for each.
        let most = own.saturating_add(bound);
        let Some(rival) = others().nth(seats - 1) else { return [own > 0, own > 0, most > 0] };
        let deficit: u64 = others().take(seats).map(|votes| own.saturating_sub(votes)).sum();
        [own > rival, own > rival && deficit > bound, most > 0 && most >= rival]
    };
    votes.iter().map(|&own| state(own)).collect()
}

/// Whether it is known who is elected by name, whatever is outstanding.
fn is_known(part: &Nominal, statement: &Statement) -> bool {
    let (Kind::Plurality { seats }, Some(bound)) = (statement.kind(), statement.bound()) else { return false };
    by_name(&part.question, seats as usize, bound).iter().all(|[_, least, can]| least == can)
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
