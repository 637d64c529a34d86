//! Second-stage receipts: from any copy of the bundle, verified, and never exchanged for a worse one.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tallyproof_log::compact::CompactReceipt;
use tallyproof_log::merkle::leaf_hash;
use tallyproof_log::note::VerifierKey;
use tallyproof_log::proof::LogProof;
use tallyproof_record::entry::Entry;

use crate::published::{Published, enrolled, receipted};
use crate::shell::{Outcome, Shell};
use crate::verify::serve;

const RECEIPT: &str = "--json station receipt --queue queue --pack packs/station-1.toml --from";

/// Station 1's record somewhere in a log of 600 entries, cosigned by two of three witnesses.
fn logged(shell: &Shell) -> Published {
    let record = receipted(shell);
    let mut log = Published::new(shell);
    log.push_others(300, 0);
    log.push(&record);
    log.push_others(298, 1);
    log.write(&shell.path("bundle"), &[1, 3]);
    log
}

fn row(outcome: &Outcome) -> Value {
    outcome.json()["records"][0].clone()
}

fn beside(shell: &Shell, ending: &str) -> Option<Vec<u8>> {
    fs::read(shell.path(&format!("queue/station-1-contest-1.{ending}"))).ok()
}

#[test]
fn a_receipt_is_made_from_any_copy_and_holds_without_it() {
    let shell = enrolled();
    logged(&shell);
    let base = serve(shell.path("bundle"));
    let outcome = shell.run(&format!("{RECEIPT} {base}"));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let (report, found) = (outcome.json(), row(&outcome));
    assert_eq!(
        (&report["complete"], &report["policy_from"], &report["quorum"]),
        (&true.into(), &"definition".into(), &"two".into())
    );
    assert_eq!((&found["outcome"], &found["index"], &found["tree_size"]), (&"in log".into(), &301.into(), &600.into()));
    assert_eq!(
        (&found["cosignatures"], &found["quorum_met"], &found["receipted"]),
        (&2.into(), &true.into(), &true.into())
    );
    // Both files verify with the log's key and the policy alone.
    let proof: LogProof = String::from_utf8(beside(&shell, "proof").unwrap()).unwrap().parse().unwrap();
    let compact = CompactReceipt::decode(&beside(&shell, "compact").unwrap()).unwrap();
    let log: VerifierKey = fs::read_to_string(shell.path("bundle/log/vkeys")).unwrap().trim().parse().unwrap();
    let policy = fs::read_to_string(shell.path("bundle/log/policy")).unwrap().parse().unwrap();
    let leaf = leaf_hash(&Entry::Record(&fs::read(shell.path("queue/station-1-contest-1.cose")).unwrap()).encode());
    let attested = proof.attest(&leaf, &log, &policy).unwrap();
    assert_eq!((attested.cosigners, attested.quorum_met), (vec!["w1".to_owned(), "w3".to_owned()], true));
    assert_eq!(compact.to_proof(&leaf, &log, &policy).unwrap().to_string(), proof.to_string());
    assert_eq!(found["bytes"], beside(&shell, "compact").unwrap().len());
    let status = shell.run("--json station status --queue queue --pack packs/station-1.toml").json();
    assert_eq!((&status["in_log"], &status["records"][0]["index"]), (&1.into(), &301.into()));
    let text = shell.run("station status --queue queue --pack packs/station-1.toml").stdout;
    assert!(text.contains("entry 301 of 600, 2 cosignatures"), "{text}");
}

#[test]
fn only_what_is_needed_is_read() {
    let shell = enrolled();
    logged(&shell);
    // Of the three entry bundles, one holds the record; of the others not a byte is needed.
    for path in
        ["log/tile/entries/000", "log/tile/entries/002.p/88", "manifest", "site/index.html", "index/totals.json"]
    {
        fs::remove_file(shell.path("bundle").join(path)).unwrap();
    }
    let outcome = shell.run(&format!("{RECEIPT} bundle"));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
}

#[test]
fn the_policy_of_the_trust_file_decides() {
    let shell = enrolled();
    logged(&shell);
    let (trust, policy) = (
        fs::read_to_string(shell.path("trust.toml")).unwrap(),
        fs::read_to_string(shell.path("bundle/log/policy")).unwrap(),
    );
    let strict = policy.replace("group two 2", "group two all");
    shell.write("strict.toml", &format!("{trust}policy = \"\"\"\n{strict}\"\"\"\n"));
    let outcome = shell.run(&format!("{RECEIPT} bundle --trust strict.toml"));
    assert_eq!((outcome.code, &outcome.json()["policy_from"]), (1, &"trust".into()));
    assert_eq!((&row(&outcome)["outcome"], &row(&outcome)["quorum_met"]), (&"in log".into(), &false.into()));
    assert!(row(&outcome)["why"].as_str().unwrap().contains("quorum two has not cosigned"), "{}", outcome.stdout);
    // A copy without the definition names its witnesses itself; the report says so.
    fs::remove_dir_all(shell.path("bundle/election")).unwrap();
    let outcome = shell.run(&format!("{RECEIPT} bundle"));
    assert_eq!((outcome.code, &outcome.json()["policy_from"]), (0, &"copy".into()));
}

#[test]
fn a_better_receipt_takes_the_place_of_a_worse_one_and_never_the_reverse() {
    let shell = enrolled();
    let record = receipted(&shell);
    let mut log = Published::new(&shell);
    log.push(&record);
    log.write(&shell.path("early"), &[]);
    log.push_others(9, 0);
    log.write(&shell.path("quorum"), &[1, 3]);
    log.push_others(9, 1);
    log.write(&shell.path("later"), &[2]);
    let none = shell.run(&format!("{RECEIPT} early"));
    assert_eq!((none.code, &row(&none)["cosignatures"], &row(&none)["kept"]), (1, &0.into(), &false.into()));
    let met = shell.run(&format!("{RECEIPT} quorum"));
    assert_eq!((met.code, &row(&met)["tree_size"], &row(&met)["kept"]), (0, &11.into(), &false.into()));
    let best = beside(&shell, "proof");
    for copy in ["early", "later", "quorum"] {
        let again = shell.run(&format!("{RECEIPT} {copy}"));
        assert_eq!(
            (again.code, &row(&again)["tree_size"], &row(&again)["kept"]),
            (0, &11.into(), &true.into()),
            "{copy}"
        );
        assert_eq!(beside(&shell, "proof"), best, "{copy}");
    }
    // The later checkpoint has one cosignature, but the bundle still shows the one that has the quorum.
    fs::remove_file(shell.path("queue/station-1-contest-1.proof")).unwrap();
    let later = shell.run(&format!("{RECEIPT} later"));
    assert_eq!((later.code, &row(&later)["tree_size"], &row(&later)["quorum_met"]), (0, &11.into(), &true.into()));
    // A crash between the two files: the compact one is made again.
    fs::write(shell.path("queue/station-1-contest-1.compact"), "half").unwrap();
    assert_eq!(shell.run(&format!("{RECEIPT} early")).code, 0);
    assert!(CompactReceipt::decode(&beside(&shell, "compact").unwrap()).is_ok());
    // A damaged one is worth nothing.
    let mut damaged = best.clone().unwrap();
    let at = damaged.len() - 40;
    damaged[at] ^= 1;
    fs::write(shell.path("queue/station-1-contest-1.proof"), damaged).unwrap();
    assert_eq!(shell.run(&format!("{RECEIPT} quorum")).code, 0);
    assert_eq!(beside(&shell, "proof"), best);
}

#[test]
fn a_record_that_is_not_there_yet_is_waited_for() {
    let shell = enrolled();
    let record = receipted(&shell);
    let mut log = Published::new(&shell);
    log.push_others(5, 0);
    log.write(&shell.path("bundle"), &[1, 2]);
    let early = shell.run(&format!("{RECEIPT} bundle"));
    assert_eq!((early.code, &row(&early)["outcome"], &row(&early)["index"]), (1, &"not yet".into(), &Value::Null));
    assert_eq!(beside(&shell, "proof"), None);
    log.push(&record);
    log.write(&shell.path("bundle"), &[1, 2]);
    assert_eq!(shell.run(&format!("{RECEIPT} bundle")).code, 0);
}

#[test]
fn a_promise_that_a_finished_log_did_not_keep_is_evidence() {
    let shell = enrolled();
    let record = receipted(&shell);
    let mut log = Published::new(&shell);
    log.push_others(300, 0);
    log.freeze();
    log.write(&shell.path("bundle"), &[1, 2]);
    let outcome = shell.run(&format!("{RECEIPT} bundle"));
    assert_eq!((outcome.code, &row(&outcome)["outcome"]), (1, &"promise broken".into()), "{}", outcome.stdout);
    assert!(row(&outcome)["why"].as_str().unwrap().contains("NOT KEPT"), "{}", outcome.stdout);
    assert_eq!(beside(&shell, "final"), fs::read(shell.path("bundle/log/checkpoint")).ok());
    // Without the promise there is nothing to accuse anybody of.
    fs::rename(shell.path("queue/station-1-contest-1.receipt"), shell.path("kept")).unwrap();
    assert_eq!(row(&shell.run(&format!("{RECEIPT} bundle")))["outcome"], "not yet");
    fs::rename(shell.path("kept"), shell.path("queue/station-1-contest-1.receipt")).unwrap();
    // A copy that lacks an entry, or has another in its place, accuses nobody either.
    let tile = shell.path("bundle/log/tile/entries/000");
    let mut bytes = fs::read(&tile).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let altered = shell.run(&format!("{RECEIPT} bundle"));
    assert_eq!((altered.code, &row(&altered)["outcome"]), (1, &"unusable".into()), "{}", altered.stdout);
    // An index that hides the entry does not make it absent.
    let mut log = Published::new(&shell);
    log.push(&record);
    log.freeze();
    log.write(&shell.path("hiding"), &[1, 2]);
    fs::write(shell.path("hiding/index/stations.csv"), "station,contest,status,entries,codes\n").unwrap();
    assert_eq!(shell.run(&format!("{RECEIPT} hiding")).code, 0);
}

#[test]
fn a_forked_log_is_proved_by_the_receipt_that_was_kept() {
    let shell = enrolled();
    let mut log = logged(&shell);
    assert_eq!(shell.run(&format!("{RECEIPT} bundle")).code, 0);
    log.truncate(300);
    log.push_others(400, 7);
    log.write(&shell.path("other"), &[]);
    let outcome = shell.run(&format!("{RECEIPT} other"));
    assert_eq!((outcome.code, &row(&outcome)["outcome"]), (1, &"forked".into()), "{}", outcome.stdout);
    let proof = String::from_utf8(beside(&shell, "fork").unwrap()).unwrap();
    let proof: tallyproof_log::fork::ForkProof = proof.parse().unwrap();
    assert_eq!(proof.verify().unwrap().one.size, 600);
    // Of the same size, and with less: what was kept stays.
    let kept = beside(&shell, "proof");
    log.truncate(600);
    log.write(&shell.path("same"), &[]);
    assert_eq!(row(&shell.run(&format!("{RECEIPT} same")))["outcome"], "forked");
    assert_eq!(beside(&shell, "proof"), kept);
}

/// Changes a byte of a file: at a place, or where these bytes stand.
fn alter(path: &Path, place: Result<usize, &[u8]>) {
    let mut bytes = fs::read(path).unwrap();
    let at = place.unwrap_or_else(|wanted| bytes.windows(wanted.len()).position(|window| window == wanted).unwrap());
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_a_copy_changed_gives_no_receipt() {
    let record = |shell: &Shell| fs::read(shell.path("queue/station-1-contest-1.cose")).unwrap();
    // The log's signature; the sibling of entry 301, which is hash 44 of its tile; the record in its entry.
    for (path, place, outcome) in [
        ("log/checkpoint", Some(100), "not yet"),
        ("log/tile/0/001", Some(44 * 32), "unusable"),
        ("log/tile/entries/001", None, "not yet"),
    ] {
        let shell = enrolled();
        logged(&shell);
        fs::remove_file(shell.path("bundle/log/cosigned")).unwrap();
        alter(&shell.path("bundle").join(path), place.ok_or(&record(&shell)));
        let found = shell.run(&format!("{RECEIPT} bundle"));
        assert_eq!(found.code, 1, "{path}: {}{}", found.stdout, found.stderr);
        assert_eq!(row(&found)["outcome"], outcome, "{path}");
        assert_eq!(found.json()["problems"].as_array().unwrap().len(), usize::from(path == "log/checkpoint"), "{path}");
        assert_eq!(beside(&shell, "proof"), None, "{path}");
    }
}

#[test]
fn a_copy_of_another_election_or_of_nothing_cannot_be_used() {
    let (shell, other) = (enrolled(), enrolled());
    logged(&shell);
    logged(&other);
    let found = shell.run(&format!("{RECEIPT} {}", other.path("bundle").display()));
    assert_eq!(found.code, 2);
    assert!(found.stderr.contains("the copy is of the election"), "{}", found.stderr);
    fs::create_dir(shell.path("empty")).unwrap();
    let found = shell.run(&format!("{RECEIPT} empty"));
    assert_eq!(found.code, 2);
    assert!(found.stderr.contains("neither a definition nor log/policy"), "{}", found.stderr);
    let found = shell.run(&format!("{RECEIPT} bundle --trust {}", other.path("trust.toml").display()));
    assert!(found.code == 2 && found.stderr.contains("another log key"), "{}", found.stderr);
}
