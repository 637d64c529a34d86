//! `[contest.decision]` of `election.toml`: what decides a contest.
//!
//! Read in two steps: the ids in it name candidates and contests that are known once all files were read.

use std::collections::BTreeMap;

use toml::{Spanned, de::DeValue};

use super::{
    super::{
        Contest, ContestNo, Figure,
        decision::{
            Ahead, Bar, Decision, Each, Lists, MAX_SEATS, Method, MixedRule, Nominal, Share, Threshold, TieRule, Whole,
        },
    },
    head::{Head, Keys, number, string},
    report::{Checker, Code, Spot, shown},
};

/// Each key with the types that it belongs to.
const KEYS: [(&str, &[&str]); 14] = [
    ("type", &TYPES),
    ("seats", &["plurality", "lists"]),
    ("more_than", &["majority", "run-off"]),
    ("at_least", &["majority", "run-off"]),
    ("ahead", &["run-off"]),
    ("of", &["majority", "run-off", "lists"]),
    ("method", &["lists"]),
    ("threshold", &["lists"]),
    ("threshold_each", &["lists"]),
    ("ties", &["lists"]),
    ("alliances", &["lists"]),
    ("inside", &["lists"]),
    ("nominal", &["lists"]),
    ("rule", &["lists"]),
];
const TYPES: [&str; 4] = ["plurality", "majority", "run-off", "lists"];
const AHEAD_KEYS: [&str; 4] = ["more_than", "at_least", "by_more_than", "by_at_least"];
/// Keys without a meaning unless another is there.
const COMPANIONS: [(&str, &str); 4] =
    [("threshold_each", "threshold"), ("inside", "alliances"), ("nominal", "rule"), ("rule", "nominal")];

/// A decision as written, with what it names.
pub(crate) struct Draft {
    decision: Decision,
    /// Of candidates.
    alliances: Vec<Vec<Name>>,
    /// Of contests.
    nominal: Vec<Name>,
}

/// An id and its byte offset.
struct Name {
    id: String,
    at: usize,
}

pub(crate) fn parse(check: &mut Checker<'_, '_>, contest: Keys<'_, '_>, figures: &[Figure]) -> Option<Draft> {
    let value = contest.get("decision")?;
    let at = value.span().start;
    let Some(table) = value.get_ref().as_table() else {
        check.add(at, Code::WrongType, "write what decides the contest as a `[contest.decision]` table");
        return None;
    };
    let keys = Keys { table, at };
    keys.only(check, &KEYS.map(|(key, _)| key));
    let kind = keys.required(check, "type")?;
    if !TYPES.contains(&kind.text) {
        check.unknown(kind, Code::Word, "`type` is plurality, majority, run-off or lists, not", TYPES);
        return None;
    }
    belonging(check, keys, kind.text);
    let whole = whole(check, keys, figures);
    let (mut alliances, mut nominal) = (Vec::new(), Vec::new());
    let decision = match kind.text {
        "plurality" => Decision::Plurality { seats: seats(check, keys, Some(1))? },
        "majority" => Decision::Majority { bar: bar(check, keys, ["more_than", "at_least"])?, of: whole },
        "run-off" => {
            let bar = bar(check, keys, ["more_than", "at_least"]);
            Decision::RunOff { ahead: ahead(check, keys), bar: bar?, of: whole }
        }
        _ => {
            alliances = name_lists(check, keys);
            nominal = names(check, "nominal", keys.get("nominal"));
            Decision::Lists(lists(check, keys, whole)?)
        }
    };
    Some(Draft { decision, alliances, nominal })
}

/// A key that has no meaning for the type would be silently without effect.
fn belonging(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, kind: &str) {
    let mut misplaced = |key: &str, what: String| {
        if let Some((key, _)) = keys.table.get_key_value(key) {
            check.add(key.span().start, Code::Decision, what);
        }
    };
    for (key, types) in KEYS.into_iter().filter(|(_, types)| !types.contains(&kind)) {
        misplaced(key, format!("`{key}` belongs to the type {} alone; remove it", types.join(" or ")));
    }
    for (key, other) in COMPANIONS.into_iter().filter(|(_, other)| kind == "lists" && keys.get(other).is_none()) {
        misplaced(key, format!("`{key}` says nothing without `{other}`; add that, or remove it"));
    }
    if kind == "lists" && keys.get("threshold").is_none() {
        misplaced("of", "`of` says nothing without `threshold`; add that, or remove it".into());
    }
    if keys.get("nominal").is_some() && keys.get("alliances").is_some() {
        misplaced("alliances", "alliances cannot be combined with seats won by name; remove one of them".into());
    }
}

fn whole(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, figures: &[Figure]) -> Whole {
    let words = [Whole::Options, Whole::OptionsAndBlank];
    let Some(spot) = keys.string(check, "of") else { return Whole::default() };
    let whole = word(check, spot, "of", words.map(|whole| (whole.as_str(), whole))).unwrap_or_default();
    if whole == Whole::OptionsAndBlank && !figures.contains(&Figure::Blank) {
        let what = "no record of this contest has to state its blank votes; add \"blank\" to the contest's `figures`";
        check.add(spot.at, Code::Decision, what);
    }
    whole
}

/// One of the words that may stand here.
fn word<T: Copy, const N: usize>(
    check: &mut Checker<'_, '_>,
    spot: Spot<'_>,
    key: &str,
    words: [(&str, T); N],
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == spot.text).map(|(_, value)| *value);
    if found.is_none() {
        let known = words.map(|(word, _)| word);
        check.unknown(spot, Code::Word, &format!("`{key}` is {}, not", known.join(" or ")), known);
    }
    found
}

fn seats(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, default: Option<u32>) -> Option<u32> {
    let Some(value) = keys.get("seats") else {
        if default.is_none() {
            check.add(keys.at, Code::MissingKey, "`seats` is missing: how many seats the lists get");
        }
        return default;
    };
    let seats = number(value.get_ref()).filter(|seats| (1..=MAX_SEATS).contains(seats));
    if seats.is_none() {
        check.add(value.span().start, Code::Seats, format!("`seats` has to be a whole number from 1 to {MAX_SEATS}"));
    }
    seats
}

fn share(check: &mut Checker<'_, '_>, key: &str, spot: Spot<'_>) -> Option<Share> {
    let share = spot.text.parse();
    share
        .map_err(|error| {
            check.add(spot.at, Code::Share, format!("`{key}` {} is no share: {error}", shown(spot.text)));
        })
        .ok()
}

/// A bar by the one of two keys that is there: more than a share, or at least one.
fn bar(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, [more, least]: [&str; 2]) -> Option<Bar> {
    match (keys.get(more), keys.get(least)) {
        (Some(_), None) => keys.string(check, more).and_then(|spot| share(check, more, spot)).map(Bar::MoreThan),
        (None, Some(_)) => keys.string(check, least).and_then(|spot| share(check, least, spot)).map(Bar::AtLeast),
        _ => {
            let what = format!("state one of `{more}` and `{least}`; \"50 % + 1\" is more than 50 %");
            check.add(keys.at, Code::Share, what);
            None
        }
    }
}

fn ahead(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>) -> Option<Ahead> {
    let value = keys.get("ahead")?;
    let at = value.span().start;
    let Some(table) = value.get_ref().as_table() else {
        check.add(at, Code::WrongType, "write it as `ahead = { at_least = \"40%\", by_at_least = \"10%\" }`");
        return None;
    };
    let keys = Keys { table, at };
    keys.only(check, &AHEAD_KEYS);
    let reach = bar(check, keys, ["more_than", "at_least"]);
    let by = bar(check, keys, ["by_more_than", "by_at_least"]);
    Some(Ahead { reach: reach?, by: by? })
}

fn lists(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, of: Whole) -> Option<Lists> {
    let seats = seats(check, keys, None);
    let by = keys.required(check, "method").and_then(|spot| method(check, "method", spot));
    let each = keys.string(check, "threshold_each").map_or(Some(Each::List), |spot| {
        word(check, spot, "threshold_each", [Each::List, Each::Alliance].map(|each| (each.as_str(), each)))
    });
    let threshold = keys.string(check, "threshold").and_then(|spot| share(check, "threshold", spot));
    let inside = keys.string(check, "inside").and_then(|spot| method(check, "inside", spot));
    let ties = ties(check, keys);
    let rule = keys.string(check, "rule").and_then(|spot| {
        let rules = [MixedRule::Parallel, MixedRule::Added, MixedRule::Within];
        let rule = word(check, spot, "rule", rules.map(|rule| (rule.as_str(), rule)))?;
        if rule == MixedRule::Within && by.is_some_and(|method| method.divisor(1).is_none()) {
            let what = "a house of fixed size needs a divisor method: a largest remainder knows no next seat after those won by name";
            check.add(spot.at, Code::Decision, what);
        }
        Some(rule)
    });
    Some(Lists {
        method: by?,
        seats: seats?,
        threshold: threshold.and_then(|share| Some(Threshold { share, of, each: each? })),
        ties,
        alliances: Vec::new(),
        inside,
        mixed: rule.map(|rule| Nominal { contests: Vec::new(), rule }),
    })
}

/// A method by its one name in files: the canonical form has no other.
fn method(check: &mut Checker<'_, '_>, key: &str, spot: Spot<'_>) -> Option<Method> {
    word(check, spot, key, Method::ALL.map(|method| (method.as_str(), method)))
}

fn ties(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>) -> Vec<TieRule> {
    let mut rules = Vec::new();
    for name in names(check, "ties", keys.get("ties")) {
        let spot = Spot { text: &name.id, at: name.at };
        let Some(rule) = word(check, spot, "ties", [(TieRule::MoreVotes.as_str(), TieRule::MoreVotes)]) else {
            continue;
        };
        if rules.contains(&rule) {
            check.add(name.at, Code::Word, format!("{} stands twice; remove one", shown(&name.id)));
        } else {
            rules.push(rule);
        }
    }
    rules
}

/// The texts of a list.
fn names(check: &mut Checker<'_, '_>, key: &str, value: Option<&Spanned<DeValue<'_>>>) -> Vec<Name> {
    let Some(value) = value else { return Vec::new() };
    let Some(texts) = value.get_ref().as_array() else {
        check.add(value.span().start, Code::WrongType, format!("`{key}` has to be a list, as [\"a\", \"b\"]"));
        return Vec::new();
    };
    if texts.is_empty() {
        check.add(value.span().start, Code::MissingKey, format!("`{key}` is empty; name what it lists, or remove it"));
    }
    let spots = texts.iter().filter_map(|text| string(check, key, text));
    spots.map(|spot| Name { id: spot.text.into(), at: spot.at }).collect()
}

fn name_lists(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>) -> Vec<Vec<Name>> {
    let Some(value) = keys.get("alliances") else { return Vec::new() };
    let at = value.span().start;
    let Some(lists) = value.get_ref().as_array() else {
        check.add(at, Code::WrongType, "`alliances` has to be a list of lists, as [[\"a\", \"b\"], [\"c\", \"d\"]]");
        return Vec::new();
    };
    let mut alliances = Vec::new();
    for list in lists {
        let names = names(check, "alliances", Some(list));
        if list.get_ref().as_array().is_some_and(|texts| texts.len() == 1) {
            check.add(list.span().start, Code::Alliance, "an alliance has two lists or more; add one, or remove it");
        }
        alliances.push(names);
    }
    alliances
}

/// Looks up what the decisions name, and gives each contest its own.
pub(crate) fn resolve(check: &mut Checker<'_, '_>, head: &mut Head) {
    let drafts = std::mem::take(&mut head.drafts);
    let mut counting = Counting {
        numbers: head.contests.iter().map(|contest| contest.id.clone()).zip(1..=u16::MAX).collect(),
        kinds: drafts.iter().map(|draft| draft.as_ref().map(|draft| draft.decision.as_str())).collect(),
        taken: BTreeMap::new(),
        complete: head.complete,
    };
    for (index, draft) in drafts.into_iter().enumerate() {
        let Some(Draft { mut decision, alliances, nominal }) = draft else { continue };
        if let Decision::Lists(lists) = &mut decision {
            lists.alliances = resolve_alliances(check, &head.contests[index], &alliances);
            let contests = counting.resolve(check, &head.contests, index, &nominal);
            if let Some(mixed) = &mut lists.mixed {
                mixed.contests = contests;
            }
        }
        head.contests[index].decision = Some(decision);
    }
}

fn resolve_alliances(check: &mut Checker<'_, '_>, contest: &Contest, alliances: &[Vec<Name>]) -> Vec<Vec<usize>> {
    let numbers: BTreeMap<&str, usize> =
        contest.candidates.iter().enumerate().map(|(number, list)| (&*list.id, number)).collect();
    let mut seen = BTreeMap::new();
    let mut resolved = Vec::new();
    for names in alliances {
        let mut members = Vec::new();
        for Name { id, at } in names {
            let Some(&number) = numbers.get(&**id) else {
                let spot = Spot { text: id, at: *at };
                check.unknown(spot, Code::UnknownReference, "the contest has no list", numbers.keys().copied());
                continue;
            };
            if let Some(first) = seen.insert(number, *at) {
                let first = check.source.place(first);
                let what = format!("list {} already stands at {first}; a list stands in one alliance", shown(id));
                check.add(*at, Code::Alliance, what);
            }
            members.push(number);
        }
        // Sets: the order in which they were written must not change the definition's hash.
        members.sort_unstable();
        resolved.push(members);
    }
    resolved.sort_unstable();
    resolved
}

/// Looks up contests whose seats count for lists.
struct Counting {
    numbers: BTreeMap<String, u16>,
    /// Each contest's type, where one is stated.
    kinds: Vec<Option<&'static str>>,
    /// Where each contest was named already.
    taken: BTreeMap<u16, usize>,
    /// Whether every contest was read.
    complete: bool,
}

impl Counting {
    fn resolve(
        &mut self,
        check: &mut Checker<'_, '_>,
        contests: &[Contest],
        lists: usize,
        names: &[Name],
    ) -> Vec<ContestNo> {
        let Some(lists) = contests.get(lists) else { return Vec::new() };
        let numbers = lists.candidates.iter().enumerate().map(|(number, list)| (&*list.id, number)).collect();
        let mut found = Vec::new();
        for Name { id, at } in names {
            let Some(&no) = self.numbers.get(id) else {
                if self.complete {
                    let pool = self.numbers.keys().map(String::as_str);
                    check.unknown(Spot { text: id, at: *at }, Code::UnknownReference, "there is no contest", pool);
                }
                continue;
            };
            let number = ContestNo(no);
            if self.kinds.get(number.index()).copied().flatten() != Some("plurality") {
                let what =
                    format!("contest {} is not one whose decision has the type plurality; state that", shown(id));
                check.add(*at, Code::Nominal, what);
            }
            if let Some(first) = self.taken.insert(no, *at) {
                let first = check.source.place(first);
                let what = format!("the seats of contest {} already count at {first}; name it once", shown(id));
                check.add(*at, Code::Nominal, what);
            } else if let Some(contest) = contests.get(number.index()) {
                one_list_each(check, contest, lists, &numbers, *at);
            }
            found.push(number);
        }
        found.sort_unstable();
        found
    }
}

/// A seat that could count for several lists would be silently given to one of them.
fn one_list_each(
    check: &mut Checker<'_, '_>,
    contest: &Contest,
    lists: &Contest,
    numbers: &BTreeMap<&str, usize>,
    at: usize,
) {
    let mut of = vec![None; contest.candidates.len()];
    for line in &contest.lines {
        let party = line.party.and_then(|party| contest.parties.get(party));
        let Some(list) = party.and_then(|party| numbers.get(&*party.id)) else { continue };
        let Some(slot) = of.get_mut(line.candidate) else { continue };
        let first = *slot.get_or_insert(*list);
        if first != *list {
            let name = |list: usize| lists.candidates.get(list).map_or_else(String::new, |list| shown(&list.id));
            let candidate = contest.candidates.get(line.candidate).map_or_else(String::new, |it| shown(&it.id));
            let what = format!(
                "candidate {candidate} of contest {} stands for the lists {} and {}; its parties have to name one",
                shown(&contest.id),
                name(first),
                name(*list)
            );
            return check.add(at, Code::Nominal, what);
        }
    }
}
