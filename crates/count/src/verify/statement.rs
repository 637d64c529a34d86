//! The verification in words: what was shown, on which premises, and what this cannot show.

use super::{Premises, Verification};

/// One paragraph.
pub(super) fn of(verification: &Verification, premises: Premises) -> String {
    let sentences = [
        drill(verification),
        Some(shown(verification)),
        corrected(verification),
        cosigned(verification),
        finished(verification),
        unseen(premises.listed),
        Some(not_shown(verification, premises.policy_given)),
    ];
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

fn corrected(v: &Verification) -> Option<String> {
    let noun = if v.corrections == 1 { "correction" } else { "corrections" };
    (v.ok && v.corrections > 0).then(|| {
        format!(
            "{} {noun} signed by as many members of the authority as the definition asks for change the totals as it stands, \
             which are listed apart.",
            v.corrections
        )
    })
}

fn cosigned(v: &Verification) -> Option<String> {
    let noun = if v.cosignatures == 1 { "witness" } else { "witnesses" };
    let what = if v.cosigned_size == v.tree_size {
        "the log's state".to_owned()
    } else {
        format!("its first {} entries, and not what follows", v.cosigned_size)
    };
    (v.ok && v.cosignatures > 0).then(|| format!("{} {noun} of the policy cosigned {what}.", v.cosignatures))
}

fn finished(v: &Verification) -> Option<String> {
    let words = match (v.frozen, v.warnings.len()) {
        (true, _) => "The log is finished: its final checkpoint is pinned.".to_owned(),
        (false, 0) => return None,
        (false, 1) => "The log is not finished; 1 warning says what is still missing.".to_owned(),
        (false, warnings) => format!("The log is not finished; {warnings} warnings say what is still missing."),
    };
    v.ok.then_some(words)
}

fn unseen(listed: bool) -> Option<String> {
    (!listed).then(|| {
        "The source cannot list its files, so files that the manifest does not list were not looked for.".into()
    })
}

fn not_shown(v: &Verification, policy_given: bool) -> String {
    let anchor = if v.anchored {
        ""
    } else {
        "that this is the definition and the log of the election meant (give a trust file for that); "
    };
    let witnesses = match (v.cosignatures, policy_given) {
        (0, _) => "that others were shown the same log; ",
        (_, false) if !v.anchored => {
            "that the witnesses, whom the bundle itself names, are not its maker's (give a trust file: the definition names them); "
        }
        (_, _) => "",
    };
    format!("Not shown: {anchor}{witnesses}that a record agrees with the paper or the ballots of its station.")
}
