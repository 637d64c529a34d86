//! The verification in words: what was shown, on which premises, and what this cannot show.

use super::Verification;

/// One paragraph. `listed`: whether the source could list its files.
pub(super) fn of(verification: &Verification, listed: bool) -> String {
    let sentences = [drill(verification), Some(shown(verification)), unseen(listed), Some(not_shown(verification))];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn drill(verification: &Verification) -> Option<String> {
    (verification.phase == "drill").then(|| "This is a drill: its figures are of no real poll.".into())
}

fn shown(v: &Verification) -> String {
    if !v.ok {
        let problems = v.problems.len();
        let noun = if problems == 1 { "problem" } else { "problems" };
        return format!("The bundle does not hold: {problems} {noun} found, listed with their places.");
    }
    let basis = if v.anchored {
        "is anchored: it is of the definition and the log key that were given from outside, and it"
    } else {
        "is consistent: it"
    };
    format!(
        "The bundle {basis} agrees with itself in everything that was redone: {} log entries give the signed root; every \
         record that is counted or quarantined has the signature of its station's key; the published totals are the sums \
         over the {} counted records.",
        v.tree_size, v.counted
    )
}

fn unseen(listed: bool) -> Option<String> {
    (!listed).then(|| {
        "The source cannot list its files, so files that the manifest does not list were not looked for.".into()
    })
}

fn not_shown(v: &Verification) -> String {
    let anchor = if v.anchored {
        ""
    } else {
        "that this is the definition and the log of the election meant (give a trust file for that); "
    };
    let witnesses = if v.cosignatures == 0 { "that others were shown the same log; " } else { "" };
    format!("Not shown: {anchor}{witnesses}that a record agrees with the paper or the ballots of its station.")
}
