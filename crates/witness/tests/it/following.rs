//! A witness follows a log: what it takes, what it recounts, what it notices.

use std::sync::Mutex;

use proptest::prelude::*;
use tallyproof_count::{Source, bulletin::Document, bundle, judge, ledger::Ledger, manifest::file_hash};
use tallyproof_log::{checkpoint::Checkpoint, fork::ForkProof};
use tallyproof_record::{entry::Entry, statement::Bulletin};
use tallyproof_witness::{
    Follower,
    follower::{Compared, Heard, KeptAlready, NotYet, Trouble},
};

use crate::world::{
    Copy, Log, MADE_AT, bulletin as bulletin_entry, definition, follow, follower, log_key, other_root, record, sign,
};

/// Remembers which files were asked for.
struct Watched<'a>(&'a Log, Mutex<Vec<String>>);

impl Source for Watched<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        self.1.lock().unwrap().push(path.to_owned());
        self.0.files.read(path)
    }

    fn list(&self) -> Result<Option<Vec<String>>, String> {
        Ok(None)
    }
}

fn forked(trouble: Result<Heard, Trouble>) -> ForkProof {
    let Err(Trouble::Forked(proof)) = trouble else { panic!("{trouble:?}") };
    proof.to_string().parse::<ForkProof>().unwrap().verify().unwrap();
    *proof
}

#[test]
fn a_log_is_followed_as_it_grows_and_only_its_new_tiles_are_read() {
    let mut log = Log::new(601, 601, 0);
    let mut witness = follower();
    for size in [1, 2, 300, 300, 512, 600] {
        let signed = log.publish(size);
        witness.hear_manifest(&log.files[bundle::MANIFEST]).unwrap();
        follow(&mut witness, &signed, &log.files).unwrap();
        assert_eq!((witness.tree().size(), witness.ledger().entries()), (size, size));
        assert!(witness.is_level() && witness.problems().1 == 0);
        assert_eq!(witness.compared(), Compared::Same { size });
        witness.recounted(signed.checkpoint(), 0).unwrap();
    }
    let signed = log.publish(601);
    let watched = Watched(&log, Mutex::default());
    assert_eq!(follow(&mut witness, &signed, &watched), Ok(Heard::Grown));
    assert_eq!(*watched.1.lock().unwrap(), ["log/tile/0/002.p/89", "log/tile/entries/002.p/89"]);
    assert_eq!(witness.ledger().summary().counted, 600);
    assert_eq!(follow(&mut witness, &log.signed(77), &log.files), Ok(Heard::Known), "an earlier state is no news");
}

#[test]
fn a_copy_is_whole_and_leads_another_follower_to_the_same_count() {
    let mut log = Log::new(600, 600, 0);
    let (mut witness, mut copy) = (follower(), Copy::default());
    let mut copied = 0;
    for size in [1, 299, 600] {
        let signed = log.publish_log(size);
        witness.hear(&signed, &log.files).unwrap();
        while !witness.recount(&log.files, &mut copy, 1, &|_, _| ()).unwrap() {}
        for (tile, bytes) in witness.hash_tiles(copied) {
            copy.0.insert(bundle::tile_path(&tile), bytes);
        }
        copied = size;
    }
    log.files.remove(bundle::MANIFEST);
    assert!(copy.0 == log.files, "{:?} {:?}", copy.0.keys(), log.files.keys());
    let mut second = follower();
    follow(&mut second, &log.signed(600), &copy.0).unwrap();
    assert_eq!(second.ledger().summary(), witness.ledger().summary());
}

#[test]
fn a_fork_is_proven_whichever_side_is_larger() {
    for (held, other, fork) in [(300, 300, 40), (300, 700, 40), (256, 257, 256), (300, 120, 40), (300, 512, 299)] {
        let (mut ours, mut theirs) = (Log::new(held, fork, 1), Log::new(other, fork, 2));
        let mut witness = follower();
        let signed = ours.publish(held);
        follow(&mut witness, &signed, &ours.files).unwrap();
        let lie = theirs.publish(other);
        let expected = ours.tree.root_at(held.min(other)) != theirs.tree.root_at(held.min(other));
        let heard = follow(&mut witness, &lie, &theirs.files);
        if expected {
            let fork = forked(heard).verify().unwrap();
            assert_eq!(fork.one.size, held.min(other));
            assert_eq!(fork.log, *log_key().verifier());
        } else {
            assert_eq!(heard, Ok(Heard::Grown), "one history up to the size held");
            continue;
        }
        // What it holds is as before, and is cosigned as before.
        assert_eq!(witness.tree().root(), ours.tree.root());
        witness.recounted(signed.checkpoint(), held).unwrap();
        assert_eq!(witness.recounted(lie.checkpoint(), 0).is_err(), other <= held || expected);
    }
}

#[test]
fn a_fork_without_tiles_is_an_alarm_without_proof() {
    let mut ours = Log::new(300, 300, 1);
    let theirs = Log::new(400, 40, 2);
    let mut witness = follower();
    let signed = ours.publish(300);
    follow(&mut witness, &signed, &ours.files).unwrap();
    // Their checkpoint with our files: the tiles of 400 entries are not there.
    let heard = follow(&mut witness, &theirs.signed(400), &ours.files);
    assert!(matches!(heard, Err(Trouble::Unreadable(_))), "{heard:?}");
    // Their checkpoint with our own longer history's files.
    let mut longer = Log::new(400, 400, 1);
    longer.publish(400);
    let heard = follow(&mut witness, &theirs.signed(400), &longer.files);
    assert!(matches!(&heard, Err(Trouble::NotShown { size: 400, held: 300, .. })), "{heard:?}");
    assert_eq!(witness.tree().size(), 300);
    let signed = longer.signed(400);
    assert_eq!(follow(&mut witness, &signed, &longer.files), Ok(Heard::Grown));
}

#[test]
fn what_was_cosigned_binds_a_follower_whose_copy_is_lost() {
    let (ours, mut theirs) = (Log::new(300, 40, 1), Log::new(400, 40, 2));
    let mut witness = follower();
    witness.bind(ours.signed(300)).unwrap();
    let lie = theirs.publish(400);
    let fork = forked(witness.hear(&lie, &theirs.files)).verify().unwrap();
    assert_eq!((fork.one.root, fork.other.root), (ours.tree.root(), theirs.tree.root()));
    assert_eq!(witness.tree().size(), 0);
    // Short of what was cosigned nothing can be told yet; once past it, it can.
    let mut theirs = Log::new(400, 40, 2);
    let early = theirs.publish(200);
    assert_eq!(witness.hear(&early, &theirs.files), Ok(Heard::Grown));
    let lie = theirs.publish(400);
    forked(witness.hear(&lie, &theirs.files));
    // A copy that is there is compared at once.
    let mut with_copy = follower();
    follow(&mut with_copy, &lie, &theirs.files).unwrap();
    let trouble = with_copy.bind(ours.signed(300)).unwrap_err();
    assert!(matches!(trouble, Trouble::Forked(_)), "{trouble:?}");
    with_copy.bind(theirs.signed(300)).unwrap();
}

#[test]
fn a_log_with_an_entry_that_no_honest_log_holds_is_not_recounted() {
    let definition = definition();
    let good = |no| record(&definition, no, 0);
    let mut forged = good(4);
    *forged.last_mut().unwrap() ^= 1;
    let first = Log::new(1, 1, 0).entries.remove(0);
    for (bad, code) in [(forged, "BN-21"), (good(2), "BN-22"), (vec![77, 1], "BN-19"), (first.clone(), "BN-18")] {
        let entries = vec![first.clone(), good(1), good(2), good(3), bad, good(5)];
        let mut log = Log::of(definition.clone(), entries);
        let mut witness = follower();
        let signed = log.publish(6);
        follow(&mut witness, &signed, &log.files).unwrap();
        let (problems, count) = witness.problems();
        assert_eq!((problems[0].code, problems[0].place.as_str(), count), (code, "entry 4", 1));
        assert_eq!(witness.recounted(signed.checkpoint(), 0).unwrap_err(), NotYet::BadEntry { index: 4 });
        witness.recounted(log.signed(4).checkpoint(), 0).unwrap();
    }
    // Entry 0 is another election's.
    let mut other = Log::of(definition.clone(), vec![Entry::Definition(b"other").encode(), good(1)]);
    let mut witness = follower();
    let signed = other.publish(2);
    follow(&mut witness, &signed, &other.files).unwrap();
    assert_eq!(witness.recounted(signed.checkpoint(), 0).unwrap_err(), NotYet::BadEntry { index: 0 });
}

#[test]
fn a_source_that_alters_or_withholds_an_entry_leaves_no_trace() {
    let mut log = Log::new(600, 600, 0);
    let signed = log.publish(600);
    for path in ["log/tile/entries/001", "log/tile/entries/002.p/88"] {
        let mut altered = log.files.clone();
        altered.get_mut(path).unwrap()[40] ^= 1;
        let mut missing = log.files.clone();
        missing.remove(path);
        for source in [altered, missing] {
            let (mut witness, mut copy) = (follower(), Copy::default());
            witness.hear(&signed, &source).unwrap();
            let trouble = loop {
                match witness.recount(&source, &mut copy, 256, &|_, _| ()) {
                    Ok(level) => assert!(!level),
                    Err(trouble) => break trouble,
                }
            };
            assert!(matches!(&trouble, Trouble::Unreadable(problem) if problem.place == path), "{trouble:?}");
            assert!(witness.ledger().entries() % 256 == 0 && !copy.0.contains_key(path));
            let behind = witness.recounted(signed.checkpoint(), 0).unwrap_err();
            assert!(matches!(behind, NotYet::Behind { size: 600, .. }));
            // The true file is all that was wanting.
            follow(&mut witness, &signed, &log.files).unwrap();
            witness.recounted(signed.checkpoint(), 0).unwrap();
            assert_eq!(witness.ledger().summary().counted, 599);
        }
    }
}

#[test]
fn a_recount_ends_where_it_is_told_and_goes_on_there() {
    let mut log = Log::new(701, 701, 0);
    let mut witness = follower();
    let signed = log.publish(701);
    witness.hear(&signed, &log.files).unwrap();
    for (level, entries) in [(false, 256), (false, 512), (true, 701)] {
        assert_eq!(witness.recount(&log.files, &mut KeptAlready, 1, &|_, _| ()), Ok(level));
        assert_eq!(witness.ledger().entries(), entries);
        assert_eq!(witness.recounted(log.signed(500).checkpoint(), 0).is_ok(), entries >= 512);
    }
}

#[test]
fn totals_that_the_centre_signed_and_that_differ_are_told() {
    let mut log = Log::new(300, 300, 0);
    let mut witness = follower();
    let signed = log.publish(300);
    assert_eq!(witness.compared(), Compared::NotYet);
    let manifest = String::from_utf8(log.files[bundle::MANIFEST].clone()).unwrap();
    let mut lie: tallyproof_count::manifest::Manifest =
        format!("{}\n", manifest.split_once("\n\n").unwrap().0).parse().unwrap();
    lie.insert(bundle::TOTALS.parse().unwrap(), b"{}\n");
    witness.hear_manifest(lie.sign(&log_key()).unwrap().as_bytes()).unwrap();
    assert_eq!(witness.compared(), Compared::NotYet, "nothing is counted yet");
    follow(&mut witness, &signed, &log.files).unwrap();
    let Compared::Differs(problem) = witness.compared() else { panic!("{:?}", witness.compared()) };
    assert_eq!((problem.code, problem.place.as_str()), ("BN-23", bundle::TOTALS));
    lie.root = other_root();
    witness.hear_manifest(lie.sign(&log_key()).unwrap().as_bytes()).unwrap();
    assert!(matches!(witness.compared(), Compared::Differs(problem) if problem.code == "BN-10"));
    witness.hear_manifest(manifest.as_bytes()).unwrap();
    assert_eq!(witness.compared(), Compared::Same { size: 300 });
    assert!(witness.hear_manifest(&manifest.as_bytes()[..200]).is_err());
    assert!(witness.hear_manifest(manifest.replace("\n300\n", "\n299\n").as_bytes()).is_err(), "unsigned");
}

#[test]
fn a_bulletin_that_states_other_totals_or_another_root_is_none_that_a_log_may_hold() {
    let mut honest = Log::new(300, 300, 0);
    let signed = honest.publish(300);
    let mut witness = follower();
    follow(&mut witness, &signed, &honest.files).unwrap();
    let document = Document::of(witness.ledger(), 1, MADE_AT, honest.tree.root());
    let (root, totals) = (document.root.0, document.totals_hash.0);
    let document = file_hash(&document.to_json()).0;
    let sound = Bulletin { number: 1, tree_size: 300, root, totals, document };
    let lies = [
        Bulletin { root: [1; 32], ..sound },
        Bulletin { totals: [1; 32], ..sound },
        Bulletin { document: [1; 32], ..sound },
    ];
    for (stated, holds) in [(sound, true)].into_iter().chain(lies.map(|lie| (lie, false))) {
        let entries =
            [&honest.entries[..], &[bulletin_entry(&honest.definition, stated), record(&honest.definition, 300, 0)]];
        let mut log = Log::of(honest.definition.clone(), entries.concat());
        let mut witness = follower();
        let signed = log.publish(302);
        follow(&mut witness, &signed, &log.files).unwrap();
        assert_eq!(witness.ledger().bulletins().len(), 1);
        let recounted = witness.recounted(signed.checkpoint(), 0).map(|_| ());
        assert_eq!(recounted, if holds { Ok(()) } else { Err(NotYet::BadEntry { index: 300 }) });
        witness.recounted(log.signed(300).checkpoint(), 0).unwrap();
    }
}

#[test]
fn totals_that_are_published_late_are_compared_with_what_was_counted_then() {
    let mut log = Log::new(600, 600, 0);
    log.publish(77);
    let manifest = log.files[bundle::MANIFEST].clone();
    let mut witness = follower();
    let signed = log.publish_log(600);
    follow(&mut witness, &signed, &log.files).unwrap();
    witness.hear_manifest(&manifest).unwrap();
    assert_eq!(witness.compared(), Compared::Same { size: 77 });
}

#[test]
fn the_totals_of_a_size_in_between_are_compared_too() {
    let mut log = Log::new(600, 600, 0);
    let mut witness = follower();
    log.publish(300);
    witness.hear_manifest(&log.files[bundle::MANIFEST].clone()).unwrap();
    let signed = log.publish_log(600);
    follow(&mut witness, &signed, &log.files).unwrap();
    assert_eq!(witness.compared(), Compared::Same { size: 300 });
}

#[test]
fn a_size_that_no_log_has_is_not_asked_for() {
    let mut log = Log::new(300, 300, 0);
    let mut witness = follower();
    let signed = log.publish(300);
    follow(&mut witness, &signed, &log.files).unwrap();
    let huge = sign(&Checkpoint { size: u64::MAX, ..log.checkpoint(300) });
    let watched = Watched(&log, Mutex::default());
    assert!(matches!(witness.hear(&huge, &watched), Err(Trouble::NotShown { size: u64::MAX, .. })));
    assert!(watched.1.lock().unwrap().is_empty());
    let empty = sign(&Checkpoint { size: 0, ..log.checkpoint(300) });
    assert!(
        matches!(witness.hear(&empty, &watched), Err(Trouble::NotShown { size: 0, .. })),
        "nothing has another root"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn followed_in_any_steps_a_log_gives_the_same_count(mut sizes in prop::collection::vec(1_u64..650, 1..6)) {
        sizes.sort_unstable();
        let last = *sizes.last().unwrap();
        let mut log = Log::new(last, last, 0);
        let mut witness = follower();
        for size in sizes {
            let signed = log.publish_log(size);
            follow(&mut witness, &signed, &log.files).unwrap();
        }
        let mut ledger = Ledger::new(definition());
        for (index, entry) in (0..).zip(&log.entries) {
            ledger.apply(index, &judge(&log.definition, entry));
        }
        prop_assert_eq!(bundle::index_files(witness.ledger()), bundle::index_files(&ledger));
        prop_assert_eq!(witness.tree().root(), log.tree.root());
    }
}

#[test]
fn a_follower_of_another_election_finds_the_first_entry_wrong() {
    let mut log = Log::new(3, 3, 0);
    let signed = log.publish(3);
    let other = std::sync::Arc::new({
        let files = definition().canonical().files.clone();
        let files = files.into_iter().map(|(name, bytes)| {
            let text = String::from_utf8(bytes).unwrap().replace("name = \"W\"", "name = \"V\"");
            (name.to_owned(), text.into_bytes())
        });
        tallyproof_record::definition::package::parse(&files.collect()).unwrap().commit()
    });
    let mut witness = Follower::new(log_key().verifier().clone(), other);
    follow(&mut witness, &signed, &log.files).unwrap();
    assert_eq!(witness.problems().0[0].code, "BN-18");
}
