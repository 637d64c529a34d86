//! A relay's records under arbitrary networks.

use proptest::prelude::*;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::{ContestNo, StationNo};
use tallyproof_station::{Cargo, Forward, Forwarder, RefusedReceipt, RetryPolicy, Standing, Taken};

use super::{ELECTION, START, STATION, log_key, receipt_for, record};

const UDP: usize = 0;
const HTTPS: usize = 1;

fn forwarder(per_station: u32) -> Forwarder {
    let ways = [(Cargo::Datagram, RetryPolicy::default()), (Cargo::Record, RetryPolicy::default())];
    Forwarder::new(ELECTION, log_key().verifying_key(), &ways, per_station, 1)
}

fn take(forwarder: &mut Forwarder, contest: u16) -> RecordDigest {
    let record = record(contest);
    let digest = record.digest();
    assert_eq!(forwarder.take(START, STATION, ContestNo(contest), record), Taken::New);
    digest
}

fn due(forwarder: &mut Forwarder, now: u64) -> Vec<Forward> {
    std::iter::from_fn(|| forwarder.poll(now)).collect()
}

#[test]
fn a_record_without_a_datagram_goes_by_the_ways_that_need_none() {
    let mut forwarder = forwarder(9);
    let digest = take(&mut forwarder, 1);
    let record_alone = Forward { way: HTTPS, digest, bytes: record(1).into_bytes() };
    assert_eq!(due(&mut forwarder, START), [record_alone]);
    assert!(forwarder.pass(START, digest, b"datagram".to_vec()));
    assert_eq!(due(&mut forwarder, START), [Forward { way: UDP, digest, bytes: b"datagram".to_vec() }]);
}

#[test]
fn the_datagram_that_came_last_is_the_one_sent_again() {
    let mut forwarder = forwarder(9);
    let digest = take(&mut forwarder, 1);
    let mut sent = Vec::new();
    for (now, datagram) in [(START, "first"), (START + 1, "second"), (START + 2, "third")] {
        forwarder.pass(now, digest, datagram.into());
        sent.extend(
            due(&mut forwarder, now).into_iter().filter(|forward| forward.way == UDP).map(|it| (now, it.bytes)),
        );
    }
    assert_eq!(sent, [(START, b"first".to_vec())], "no faster than the floor");
    let later = due(&mut forwarder, START + RetryPolicy::FLOOR_MS);
    assert_eq!(later, [Forward { way: UDP, digest, bytes: b"third".to_vec() }]);
}

#[test]
fn a_receipt_ends_it_on_all_ways_and_is_kept() {
    let mut forwarder = forwarder(9);
    let digest = take(&mut forwarder, 1);
    forwarder.pass(START, digest, b"datagram".to_vec());
    assert_eq!((forwarder.standing(&digest), forwarder.reply(START, &digest)), (Standing::Held, None));
    let bytes = receipt_for(record(1).as_bytes(), &log_key());
    assert_eq!(forwarder.receive(&bytes).unwrap().digest, digest);
    assert_eq!(forwarder.receive(&bytes), Err(RefusedReceipt::NotWaiting));
    let kept: [u8; 108] = bytes.try_into().unwrap();
    assert_eq!(forwarder.standing(&digest), Standing::Receipted(kept));
    assert_eq!((forwarder.next_wake(), forwarder.waiting(), forwarder.receipted()), (None, 0, 1));
    assert!(!forwarder.pass(START, digest, b"late".to_vec()));
    assert_eq!(forwarder.reply(START, &digest), Some(kept));
    assert_eq!(forwarder.reply(START + 1, &digest), None, "not one for each datagram of a flood");
    assert_eq!(forwarder.reply(START + RetryPolicy::FLOOR_MS, &digest), Some(kept));
}

#[test]
fn a_station_fills_its_own_share_and_no_more() {
    let mut forwarder = forwarder(2);
    let first = take(&mut forwarder, 1);
    take(&mut forwarder, 2);
    assert_eq!(forwarder.take(START, STATION, ContestNo(1), record(1)), Taken::Known);
    assert_eq!(forwarder.take(START, STATION, ContestNo(3), record(3)), Taken::Full);
    forwarder.receive(&receipt_for(record(1).as_bytes(), &log_key())).unwrap();
    assert_eq!(
        forwarder.take(START, STATION, ContestNo(3), record(3)),
        Taken::Full,
        "it lies on the disk all the same"
    );
    assert_eq!(forwarder.take(START, StationNo(18), ContestNo(3), record(3)), Taken::New);
    assert_eq!(forwarder.take(START, StationNo(18), ContestNo(1), record(1)), Taken::Known);
    assert!(matches!(forwarder.standing(&first), Standing::Receipted(_)));
}

proptest! {
    /// Whatever arrives and whenever, no record is sent by a way more often than the floor allows, and each goes on until
    /// its receipt.
    #[test]
    fn ways_are_never_flooded(arrivals in prop::collection::vec((0..3_000_u64, 1..4_u16), 1..200)) {
        let mut forwarder = forwarder(9);
        let digests: Vec<_> = (1..4).map(|contest| take(&mut forwarder, contest)).collect();
        let mut arrivals = arrivals;
        arrivals.sort_unstable();
        let mut last = std::collections::BTreeMap::new();
        for (at, contest) in arrivals {
            let (now, digest) = (START + at, digests[usize::from(contest) - 1]);
            prop_assert!(forwarder.pass(now, digest, b"datagram".to_vec()));
            for Forward { way, digest, .. } in due(&mut forwarder, now) {
                let before = last.insert((digest, way), now);
                prop_assert!(before.is_none_or(|before| now - before >= RetryPolicy::FLOOR_MS));
            }
        }
        prop_assert!(forwarder.next_wake().is_some());
    }

    #[test]
    fn foreign_bytes_release_nothing(at in 0..108_usize, change in 1..=255_u8) {
        let mut forwarder = forwarder(9);
        take(&mut forwarder, 1);
        let mut receipt = receipt_for(record(1).as_bytes(), &log_key());
        receipt[at] ^= change;
        prop_assert!(forwarder.receive(&receipt).is_err());
        prop_assert_eq!(forwarder.waiting(), 1);
    }
}
