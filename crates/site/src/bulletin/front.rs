//! The first page: what the bulletin is, what it rests on, and all contests at a glance.

use tallyproof_count::{bulletin::Basis, share::percent, totals::AreaTotals};
use tallyproof_record::{
    ContestNo, Phase,
    definition::{Authority, Election},
};

use super::{
    Bulletin, DETAILED, calendar,
    content::{Block, Cell, Column, Part, Phrase, Style, Table},
    hex, is_compact,
    settled::Common,
    title,
};
use crate::messages::Text;

/// Everything above the contests.
pub(super) fn blocks<'a>(bulletin: &Bulletin<'a>, common: &Common<'a>) -> Vec<Block<'a>> {
    let Bulletin { document, definition, .. } = bulletin;
    let election = definition.election();
    let say = |text, values| Phrase::Say(text, values);
    let phase = match election.phase() {
        Phase::Drill => Text::DrillBanner,
        Phase::Official => Text::BulletinOfficial,
    };
    let when = say(
        Text::BulletinMade,
        vec![("when", calendar::shown(document.made_at).into()), ("size", document.tree_size.into())],
    );
    vec![
        Block::Heading { level: 1, id: "bulletin".to_owned(), text: title(bulletin), place: None },
        Block::Paragraph(Style::Figure, Phrase::name(election.name())),
        Block::Paragraph(
            Style::Body,
            Phrase::Join(vec![phase.into(), say(Text::BulletinPoll, vec![("date", election.date().into())]), when]),
        ),
        Block::Panel(premises(bulletin, common)),
        Block::Heading { level: 2, id: "contests".to_owned(), text: Text::BulletinOverview.into(), place: None },
        overview(bulletin),
    ]
}

/// What is proven: bound to which checkpoint, by whose keys; and what is not.
fn premises<'a>(bulletin: &Bulletin<'a>, common: &Common<'a>) -> Vec<Block<'a>> {
    let Bulletin { document, log, .. } = bulletin;
    let bound = vec![("size", document.tree_size.into()), ("origin", log.name().as_str().into())];
    let heading = |id: &str, text: Text| Block::Heading { level: 2, id: id.to_owned(), text: text.into(), place: None };
    let mut rests = vec![
        Phrase::Say(Text::BulletinBound, bound),
        signatures(bulletin.definition.election()),
        Text::BulletinRedo.into(),
        Text::BulletinComplete.into(),
    ];
    rests.extend(is_compact(bulletin.definition.election()).then(|| Phrase::n(Text::BulletinCompact, DETAILED as u64)));
    rests.push(Text::BulletinRounding.into());
    let mut blocks = vec![heading("rests-on", Text::BulletinRestsOn), Block::Bullets(rests), facts(bulletin)];
    blocks.extend(common.blocks());
    blocks.extend([
        heading("limits", Text::Limits),
        Block::Bullets(vec![
            Text::LimitCounting.into(),
            Text::LimitOrder.into(),
            Text::LimitFraud.into(),
            Text::LimitChange.into(),
        ]),
    ]);
    blocks
}

fn signatures(election: &Election) -> Phrase<'static> {
    let Some(authority) = election.authority() else { return Text::BulletinUnsigned.into() };
    let members = authority.members();
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let of: Part<'static> = (members.len() as u64).into();
    Phrase::Say(
        Text::BulletinSigned,
        vec![("threshold", u64::from(authority.threshold()).into()), ("of", of), ("names", names.join(", ").into())],
    )
}

fn facts<'a>(bulletin: &Bulletin<'a>) -> Block<'a> {
    let Bulletin { document, definition, log, hash } = bulletin;
    let mut facts = vec![
        (Phrase::from(Text::BulletinFactDocument), hex(*hash)),
        (Text::BulletinFactTotals.into(), hex(&document.totals_hash.0)),
        (Text::FactDefinition.into(), definition.hash().to_string()),
        (Text::FactSize.into(), crate::number::grouped(document.tree_size)),
        (Text::FactRoot.into(), document.root.to_base64()),
        (Text::FactKey.into(), log.to_string()),
    ];
    for member in definition.election().authority().into_iter().flat_map(Authority::members) {
        let label = Phrase::Say(Text::BulletinFactMember, vec![("name", member.name.clone().into())]);
        facts.push((label, hex(member.key.as_bytes())));
    }
    Block::Facts(facts)
}

/// The contest's sums, as counted.
pub(super) fn whole<'a>(bulletin: &Bulletin<'a>, contest: ContestNo, basis: Basis) -> Option<&'a AreaTotals> {
    bulletin.document.areas(contest, basis)?.next()
}

/// The id of a contest's heading.
pub(super) fn anchor(contest: ContestNo) -> String {
    format!("contest-{contest}")
}

/// How far each contest has come.
fn overview<'a>(bulletin: &Bulletin<'a>) -> Block<'a> {
    let election = bulletin.definition.election();
    let figures = [
        Text::ColumnHeld,
        Text::ColumnCounted,
        Text::ColumnQuarantined,
        Text::ColumnMissing,
        Text::ColumnRejected,
        Text::ColumnRegister,
    ];
    let texts = [Text::ColumnContest, Text::ColumnArea].map(Column::text);
    let row = |(no, contest): (ContestNo, &'a tallyproof_record::definition::Contest)| {
        let sums = whole(bulletin, no, Basis::AsCounted)?;
        let stations = &sums.stations;
        let counts = [stations.expected, stations.counted, stations.quarantined, stations.missing, stations.rejected];
        let area = election.areas().get(contest.area).map_or("", |area| area.name.as_str());
        let mut row = vec![Cell::Link(Phrase::name(contest.name.as_str()), anchor(no)), Phrase::name(area).into()];
        row.extend(counts.map(|count| Cell::from(Phrase::Count(count))));
        row.push(Phrase::Share(percent(sums.registered.counted, sums.registered.all)).into());
        Some(row)
    };
    Block::Table(Table {
        name: Text::BulletinOverview.into(),
        columns: texts.into_iter().chain(figures.map(Column::figure)).collect(),
        rows: election.numbered_contests().filter_map(row).collect(),
    })
}
