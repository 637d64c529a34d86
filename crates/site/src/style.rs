//! The one style sheet: hand-written rules, with the palette and the words that need no element of their own put in.

use std::fmt::Write;

use crate::{
    messages::{Lang, Messages, Text},
    palette,
};

const RULES: &str = include_str!("../templates/style.css");

/// Labels of table cells where the table becomes cards: custom property and text.
const LABELS: &[(&str, Text)] = &[
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
];

/// `site/style.css`.
pub(crate) fn sheet() -> String {
    let mut css = format!(
        ":root{{color-scheme:light dark;{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
        palette::properties(false),
        palette::properties(true)
    );
    for lang in Lang::ALL {
        let _ = writeln!(css, "{}{{{}}}", chosen(lang), labels(&Messages::new(lang)));
    }
    for k in 0..=palette::HUES {
        let _ = writeln!(css, ".k{k}{{--bar:var(--k{k})}}");
    }
    for (name, _) in LABELS {
        let _ = writeln!(css, ".l-{name}{{--label:var(--l-{name})}}");
    }
    css.push_str(&languages());
    css.push_str(RULES);
    css
}

/// Selects the page when its reader has chosen `lang`. English needs no choice, so that browsers without `:has` show it.
fn chosen(lang: Lang) -> String {
    if lang == Lang::default() { ":root".to_owned() } else { format!(":root:has(#lang-{}:checked)", lang.tag()) }
}

fn labels(messages: &Messages) -> String {
    let mut css = String::new();
    for (name, text) in LABELS {
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
