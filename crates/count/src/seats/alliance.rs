//! Lists that stand together for seats, and how they split them.

use std::collections::BTreeMap;

use super::claims::{self, Contender, Measure, Quotient};
use super::{Allotment, List, Open, Party, Rules, Seat, TieBreak, tie_of};

/// An alliance's admitted lists, or one list that stands alone.
pub(super) struct Group {
    members: Vec<usize>,
    alliance: Option<usize>,
}

/// The admitted lists by alliance, in order of first appearance.
pub(super) fn groups(lists: &[List], admitted: &[bool]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = BTreeMap::new();
    for (number, list) in lists.iter().enumerate().filter(|(number, _)| admitted[*number]) {
        let place = list.alliance.map_or(groups.len(), |alliance| *places.entry(alliance).or_insert(groups.len()));
        match groups.get_mut(place) {
            Some(group) => group.members.push(number),
            None => groups.push(Group { members: vec![number], alliance: list.alliance }),
        }
    }
    groups
}

impl Group {
    pub(super) fn contender(&self, lists: &[List], rules: &Rules) -> Contender {
        contender(&self.members, lists, rules)
    }

    pub(super) fn party(&self) -> Party {
        self.alliance.map_or(Party::List(self.members[0]), Party::Alliance)
    }

    /// A seat of the group, not yet of a list.
    pub(super) fn seat(&self, claim: Quotient) -> Seat {
        let list = if self.alliance.is_none() { Some(self.members[0]) } else { None };
        Seat { list, alliance: self.alliance, claim, inside: None, nominal: false }
    }
}

fn contender(members: &[usize], lists: &[List], rules: &Rules) -> Contender {
    let votes = members.iter().map(|&list| lists[list].votes).sum();
    let rank = rules.ties.iter().map(|rule| match rule {
        TieBreak::MoreVotes => u64::MAX - votes,
        // Lists that were not drawn stay tied among each other, after those that were.
        TieBreak::Lot(order) => order.iter().position(|list| members.contains(list)).map_or(u64::MAX, |at| at as u64),
    });
    let held = match rules.mixed {
        Some(super::Mixed::Within) => members.iter().map(|&list| u64::from(lists[list].nominal)).sum(),
        _ => 0,
    };
    Contender { votes, held, rank: rank.collect() }
}

/// Gives an alliance's seats in the order to its lists. `contested`: a tie leaves open whether the alliance gets one more.
pub(super) fn split(group: &Group, lists: &[List], rules: &Rules, contested: bool, allotment: &mut Allotment) {
    let Some(alliance) = group.alliance else { return };
    let contenders: Vec<Contender> = group.members.iter().map(|&list| contender(&[list], lists, rules)).collect();
    let total = contenders.iter().map(|contender| contender.votes).sum();
    let of_alliance = |seat: &&mut Seat| seat.alliance == Some(alliance);
    let seats = allotment.order.iter_mut().filter(of_alliance).count() as u64;
    let round =
        |seats| claims::allot(Measure::new(rules.inside.unwrap_or(rules.method), seats, total), &contenders, seats);
    let now = round(seats);
    let mut sure = count(&now.order, contenders.len());
    if contested {
        // With a largest remainder one seat more for the alliance can be one less for a list of it.
        let more = count(&round(seats + 1).order, contenders.len());
        sure = sure.into_iter().zip(more).map(|(now, more)| now.min(more)).collect();
    }
    let counts = count(&now.order, contenders.len());
    let unsure = (0..contenders.len()).filter(|&who| sure[who] < counts[who]);
    let among: Vec<usize> = unsure.chain(now.open.iter().flat_map(|(_, among)| among.iter().copied())).collect();
    let mut claims = now.order.iter();
    for seat in allotment.order.iter_mut().filter(of_alliance) {
        let Some(&(who, claim)) = claims.next() else { continue };
        if sure[who] > 0 {
            sure[who] -= 1;
            (seat.list, seat.inside) = (Some(group.members[who]), Some(claim));
        }
    }
    let open =
        allotment.order.iter().filter(|seat| seat.alliance == Some(alliance) && seat.list.is_none()).count() as u64;
    let party = |who: usize| Party::List(group.members[who]);
    if open > 0 {
        let among = among.into_iter().map(party).collect();
        allotment.open.push(Open { seats: open, among, inside: Some(alliance) });
    }
    allotment.ties.extend(now.ties.iter().map(|tie| tie_of(tie, rules, Some(alliance), party)));
}

fn count(order: &[(usize, Quotient)], contenders: usize) -> Vec<u64> {
    let mut counts = vec![0; contenders];
    for (who, _) in order {
        counts[*who] += 1;
    }
    counts
}
