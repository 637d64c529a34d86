//! The one style sheet: hand-written rules, with the palette and the words that need no element of their own put in.

use std::fmt::Write;

use crate::{
    messages::{Lang, Messages, Text},
    palette,
};

const RULES: &str = include_str!("../templates/style.css");
const DRILL_RULES: &str = include_str!("../templates/drill.css");
const OUTCOME_RULES: &str = include_str!("../templates/outcome.css");
const BULLETIN_RULES: &str = include_str!("../templates/bulletin.css");

/// Labels of table cells where the table becomes cards: custom property and text.
type Labels = [(&'static str, Text)];

const LABELS: &Labels = &[
    ("candidate", Text::ColumnCandidate),
    ("votes", Text::ColumnVotes),
    ("share", Text::ColumnShare),
    ("held", Text::ColumnHeld),
    ("counted", Text::ColumnCounted),
    ("quarantined", Text::ColumnQuarantined),
    ("missing", Text::ColumnMissing),
    ("others", Text::ColumnOthers),
    ("sum", Text::ColumnSum),
    ("stated", Text::ColumnStated),
    ("number", Text::ColumnNumber),
    ("station", Text::ColumnStation),
    ("area", Text::ColumnArea),
    ("valid", Text::FigureValid),
    ("rules", Text::ColumnRules),
    ("entries", Text::ColumnEntries),
    ("made", Text::ColumnMade),
    ("forms", Text::ColumnForms),
    ("as-counted", Text::ColumnAsCounted),
    ("stands", Text::ColumnAsItStands),
    ("difference", Text::ColumnDifference),
    ("stage", Text::ColumnStage),
    ("reason", Text::ColumnReason),
    ("effect", Text::ColumnEffect),
    ("signed", Text::ColumnSigned),
];

/// As in a bulletin, whose cells are labelled by the heads of their columns.
const SEATS_LABELS: &Labels = &[
    ("column-votes", Text::ColumnVotes),
    ("column-by-name", Text::ColumnByName),
    ("column-seats", Text::ColumnSeats),
    ("column-seats-least", Text::ColumnSeatsLeast),
    ("column-seats-most", Text::ColumnSeatsMost),
    ("column-threshold", Text::ColumnThreshold),
];

const DRILL_LABELS: &Labels = &[
    ("second", Text::ColumnSecond),
    ("receipts", Text::ColumnReceipts),
    ("so-far", Text::ColumnReceiptsSoFar),
    ("hostile", Text::ColumnHostile),
    ("with-receipt", Text::ColumnWithReceipt),
    ("kind", Text::ColumnKind),
    ("when", Text::ColumnWhen),
    ("planned", Text::ColumnPlanned),
    ("sent", Text::ColumnSent),
    ("count", Text::ColumnCount),
    ("share", Text::ColumnShare),
    ("wait", Text::ColumnWait),
    ("used", Text::ColumnUsed),
];

/// `site/style.css`.
pub(crate) fn sheet() -> String {
    compose(&[LABELS, SEATS_LABELS].concat(), &[RULES, OUTCOME_RULES])
}

/// The style sheet inside a drill's report.
pub(crate) fn drill_sheet() -> String {
    compose(DRILL_LABELS, &[RULES, DRILL_RULES])
}

/// The style sheet inside a witness's page.
pub(crate) fn witness_sheet() -> String {
    compose(LABELS, &[RULES, DRILL_RULES])
}

/// The style sheet inside a bulletin's page. Its cells are labelled by the heads of their columns.
pub(crate) fn bulletin_sheet() -> String {
    let heads = Text::ALL.iter().filter(|text| text.id().starts_with("column-"));
    let labels: Vec<_> = heads.map(|&text| (text.id(), text)).collect();
    compose(&labels, &[RULES, OUTCOME_RULES, BULLETIN_RULES])
}

fn compose(cells: &Labels, rules: &[&str]) -> String {
    let mut css = format!(
        ":root{{color-scheme:light dark;{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
        palette::properties(false),
        palette::properties(true)
    );
    for lang in Lang::ALL {
        let _ = writeln!(css, "{}{{{}}}", chosen(lang), labels(cells, &Messages::new(lang)));
    }
    for k in 0..=palette::HUES {
        let _ = writeln!(css, ".k{k}{{--bar:var(--k{k})}}");
    }
    for (name, _) in cells {
        let _ = writeln!(css, ".l-{name}{{--label:var(--l-{name})}}");
    }
    css.push_str(&languages());
    css.extend(rules.iter().copied());
    css
}

/// Selects the page when its reader has chosen `lang`. English needs no choice, so that browsers without `:has` show it.
fn chosen(lang: Lang) -> String {
    if lang == Lang::default() { ":root".to_owned() } else { format!(":root:has(#lang-{}:checked)", lang.tag()) }
}

fn labels(cells: &Labels, messages: &Messages) -> String {
    let mut css = String::new();
    for (name, text) in cells {
        let _ = write!(css, "--l-{name}:\"{}\";", messages.text(*text).replace(['"', '\\'], ""));
    }
    css
}

/// Shows each text in the chosen language alone.
fn languages() -> String {
    let mut css = String::new();
    for lang in Lang::ALL {
        let root = chosen(lang);
        for other in Lang::ALL {
            let display = if other == lang { "inline" } else { "none" };
            let _ = writeln!(css, "{root} span[lang={}]{{display:{display}}}", other.tag());
        }
    }
    css
}
