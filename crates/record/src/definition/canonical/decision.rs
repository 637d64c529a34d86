//! `[contest.decision]` in canonical form: defaults written out, sets in the order of what they name.

use std::fmt::Write as _;

use super::{
    super::{
        Contest, ContestNo, Election,
        decision::{Bar, Decision, Lists},
    },
    toml_string, toml_text,
};

pub(super) fn write(out: &mut String, election: &Election, contest: &Contest, decision: &Decision) {
    out.push_str("\n[contest.decision]\n");
    toml_string(out, "type", decision.as_str());
    match decision {
        Decision::Plurality { seats } => seats_line(out, *seats),
        Decision::Majority { bar, of } => {
            bar_line(out, *bar);
            toml_string(out, "of", of.as_str());
        }
        Decision::RunOff { bar, ahead, of } => {
            bar_line(out, *bar);
            if let Some(ahead) = ahead {
                let key = |bar: Bar, prefix: &str| format!("{prefix}{} = \"{}\"", bar.key(), bar.share().to_text());
                // Writing to a `String` cannot fail.
                let _ = writeln!(out, "ahead = {{ {}, {} }}", key(ahead.reach, ""), key(ahead.by, "by_"));
            }
            toml_string(out, "of", of.as_str());
        }
        Decision::Lists(lists) => lists_lines(out, election, contest, lists),
    }
}

fn seats_line(out: &mut String, seats: u32) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "seats = {seats}");
}

fn bar_line(out: &mut String, bar: Bar) {
    toml_string(out, bar.key(), &bar.share().to_text());
}

fn lists_lines(out: &mut String, election: &Election, contest: &Contest, lists: &Lists) {
    seats_line(out, lists.seats);
    if let Some(threshold) = lists.threshold {
        toml_string(out, "of", threshold.of.as_str());
    }
    toml_string(out, "method", lists.method.as_str());
    if let Some(threshold) = lists.threshold {
        toml_string(out, "threshold", &threshold.share.to_text());
        toml_string(out, "threshold_each", threshold.each.as_str());
    }
    if !lists.ties.is_empty() {
        out.push_str("ties = ");
        array(out, lists.ties.iter().map(|rule| rule.as_str()));
        out.push('\n');
    }
    if !lists.alliances.is_empty() {
        out.push_str("alliances = [");
        for (number, alliance) in lists.alliances.iter().enumerate() {
            out.push_str(if number > 0 { ", " } else { "" });
            array(out, alliance.iter().filter_map(|&list| contest.candidates.get(list)).map(|list| &*list.id));
        }
        out.push_str("]\n");
    }
    if let Some(inside) = lists.inside {
        toml_string(out, "inside", inside.as_str());
    }
    if let Some(mixed) = &lists.mixed {
        let id = |no: &ContestNo| election.contest(*no).map(|contest| &*contest.id);
        out.push_str("nominal = ");
        array(out, mixed.contests.iter().filter_map(id));
        out.push('\n');
        toml_string(out, "rule", mixed.rule.as_str());
    }
}

fn array<'a>(out: &mut String, texts: impl Iterator<Item = &'a str>) {
    out.push('[');
    for (number, text) in texts.enumerate() {
        out.push_str(if number > 0 { ", " } else { "" });
        toml_text(out, text);
    }
    out.push(']');
}
