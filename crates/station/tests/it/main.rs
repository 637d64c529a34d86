//! The outbox under arbitrary networks: whatever is lost, repeated, delayed, reordered or forged, each record ends with its
//! receipt and nothing else ever releases one.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helper functions too")]

mod forwarder;

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::{DefinitionHash, Phase};
use tallyproof_record::frame::{Frame, MacKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::{ContestNo, StationNo, Tally};
use tallyproof_station::{Outbox, RefusedReceipt, RetryPolicy, StationIdentity, Transmission};

const START: u64 = 1_800_000_000_000;
const ELECTION: DefinitionHash = DefinitionHash([4; 32]);
const STATION: StationNo = StationNo(17);

fn log_key() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

fn outbox(seed: u64) -> Outbox {
    outbox_with(1, seed)
}

fn outbox_with(paths: usize, seed: u64) -> Outbox {
    outbox_by(vec![RetryPolicy::default(); paths], seed)
}

/// With a path for each policy.
fn outbox_by(policies: Vec<RetryPolicy>, seed: u64) -> Outbox {
    let identity = StationIdentity {
        station: STATION,
        epoch: 1,
        mac: MacKey([5; 16]),
        election: ELECTION,
        log_key: log_key().verifying_key(),
    };
    Outbox::new(identity, policies, seed)
}

fn record(contest: u16) -> SealedRecord {
    let tally = Tally::new(ELECTION, Phase::Drill, STATION, ContestNo(contest), START / 1000, vec![1, 2]);
    cose::seal(&tally, &SigningKey::from_bytes(&[6; 32]))
}

fn receipt_for(body: &[u8], key: &SigningKey) -> Vec<u8> {
    let sealed = SealedRecord::from_bytes(body.to_vec()).unwrap();
    let tally = cose::open(body).unwrap().tally;
    Receipt { station: tally.station, contest: tally.contest, digest: sealed.digest() }.sign(&ELECTION, key).to_vec()
}

/// What the network does to each transmission in turn; past the end the first path is perfect, so every run can finish, and
/// the others are dead.
#[derive(Clone, Debug)]
struct Weather {
    paths: usize,
    /// For each transmission, the delays of the receipts that come of it: none is a loss, several are copies.
    delays: Vec<Vec<u64>>,
}

fn weather() -> impl Strategy<Value = Weather> {
    let delays = prop::collection::vec(0..5_000_u64, 0..3);
    (1..5_usize, prop::collection::vec(delays, 0..60)).prop_map(|(paths, delays)| Weather { paths, delays })
}

/// What a run showed.
struct Run {
    receipted: BTreeSet<u16>,
    attempts: Vec<u32>,
    /// By contest and path.
    sent_at: BTreeMap<(u16, usize), Vec<u64>>,
}

/// Drives an outbox with records of contests 1 to `contests` until nothing waits.
fn run(outbox: &mut Outbox, contests: u16, weather: &Weather) -> Run {
    let mut arriving: BTreeSet<(u64, usize, usize, Vec<u8>)> = BTreeSet::new();
    let mut run = Run { receipted: BTreeSet::new(), attempts: Vec::new(), sent_at: BTreeMap::new() };
    let mut tries: BTreeMap<u16, u32> = BTreeMap::new();
    (1..=contests).for_each(|contest| outbox.enqueue(START, record(contest)));
    while let Some(wake) = outbox.next_wake() {
        let next_arrival = arriving.first().map(|(at, ..)| *at);
        let now = next_arrival.map_or(wake, |at| at.min(wake)).max(START);
        while let Some(first) = arriving.first().filter(|(at, ..)| *at <= now).cloned() {
            arriving.remove(&first);
            let (.., path, receipt) = first;
            if let Ok(receipted) = outbox.receive(now, path, &receipt) {
                let contest = receipted.receipt.contest.0;
                assert!(run.receipted.insert(contest), "a record is released once");
                assert_eq!((receipted.path, receipted.tries), (path, tries[&contest]));
            }
        }
        while let Some(Transmission { path, digest, datagram }) = outbox.poll(now) {
            let frame = Frame::parse(&datagram).unwrap();
            frame.authenticate(&MacKey([5; 16])).unwrap();
            frame.check_digest().unwrap();
            assert_eq!(SealedRecord::from_bytes(frame.body.to_vec()).unwrap().digest(), digest);
            let number = run.attempts.len();
            run.attempts.push(frame.header.attempt);
            let contest = cose::open(frame.body).unwrap().tally.contest.0;
            assert!(!run.receipted.contains(&contest), "nothing is sent after the receipt, on any path");
            *tries.entry(contest).or_default() += 1;
            run.sent_at.entry((contest, path)).or_default().push(now);
            let receipt = receipt_for(frame.body, &log_key());
            let later = if path == 0 { vec![1] } else { Vec::new() };
            let delays = weather.delays.get(number).unwrap_or(&later);
            arriving.extend(
                delays.iter().enumerate().map(|(copy, delay)| (now + delay, number * 8 + copy, path, receipt.clone())),
            );
        }
    }
    run
}

proptest! {
    #[test]
    fn every_record_is_receipted_whatever_all_paths_but_one_do(weather in weather(), contests in 1..6_u16, seed: u64) {
        let mut outbox = outbox_with(weather.paths, seed);
        let run = run(&mut outbox, contests, &weather);
        prop_assert_eq!(run.receipted, (1..=contests).collect::<BTreeSet<_>>());
        prop_assert_eq!((outbox.pending(), outbox.next_wake()), (0, None));
    }

    #[test]
    fn attempts_rise_strictly_even_past_a_restart(weather in weather(), contests in 1..6_u16, back in 0..10_000_000_u64) {
        let mut first = outbox_with(weather.paths, 1);
        let before = run(&mut first, contests, &weather);
        // The clock was set back before the restart.
        let mut second = outbox(1).resume_after(first.last_attempt());
        second.enqueue(START - back, record(9));
        let datagram = second.poll(START - back).unwrap();
        let after = Frame::parse(&datagram.datagram).unwrap().header.attempt;
        let attempts: Vec<_> = before.attempts.into_iter().chain([after]).collect();
        prop_assert!(attempts.windows(2).all(|pair| pair[0] < pair[1]), "{attempts:?}");
    }

    #[test]
    fn no_path_carries_a_record_more_often_than_its_policy_says(weather in weather(), seed: u64) {
        let run = run(&mut outbox_with(weather.paths, seed), 3, &weather);
        for times in run.sent_at.values() {
            for (tries, pair) in times.windows(2).enumerate() {
                prop_assert!(pair[1] - pair[0] >= (500 << tries.min(10)).min(20_000), "{times:?}");
            }
        }
    }

    #[test]
    fn a_closed_path_is_never_used_again(weather in weather(), closed in 0..5_usize, seed: u64) {
        let mut outbox = outbox_with(weather.paths + 1, seed);
        outbox.enqueue(START, record(1));
        // Path 0 has to stay, for the run to end.
        let left = outbox.close_path(&record(1).digest(), closed + 1);
        prop_assert_eq!(left, weather.paths + usize::from(closed >= weather.paths));
        let run = run(&mut outbox, 1, &weather);
        prop_assert!(!run.sent_at.contains_key(&(1, closed + 1)));
        prop_assert_eq!(run.receipted.len(), 1);
    }

    #[test]
    fn foreign_bytes_release_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut outbox = outbox(3);
        outbox.enqueue(START, record(1));
        prop_assert!(outbox.receive(START, 0, &bytes).is_err());
        prop_assert_eq!(outbox.pending(), 1);
    }

    #[test]
    fn a_receipt_with_any_byte_changed_releases_nothing(at in 0..108_usize, change in 1..=255_u8) {
        let mut outbox = outbox(3);
        outbox.enqueue(START, record(1));
        let mut receipt = receipt_for(record(1).as_bytes(), &log_key());
        receipt[at] ^= change;
        prop_assert!(outbox.receive(START, 0, &receipt).is_err());
        receipt[at] ^= change;
        prop_assert!(outbox.receive(START, 0, &receipt).is_ok());
    }
}

#[test]
fn receipts_of_others_are_refused() {
    let mut outbox = outbox(1);
    outbox.enqueue(START, record(1));
    let digest = record(1).digest();
    let forged = receipt_for(record(1).as_bytes(), &SigningKey::from_bytes(&[9; 32]));
    assert!(matches!(outbox.receive(START, 0, &forged), Err(RefusedReceipt::Receipt(_))));
    let other = Receipt { station: StationNo(18), contest: ContestNo(1), digest }.sign(&ELECTION, &log_key());
    assert_eq!(outbox.receive(START, 0, &other), Err(RefusedReceipt::OtherStation));
    let other_election =
        Receipt { station: STATION, contest: ContestNo(1), digest }.sign(&DefinitionHash([0; 32]), &log_key());
    assert!(matches!(outbox.receive(START, 0, &other_election), Err(RefusedReceipt::Receipt(_))));
    let stranger = receipt_for(record(2).as_bytes(), &log_key());
    assert_eq!(outbox.receive(START, 0, &stranger), Err(RefusedReceipt::NotWaiting));
    assert_eq!(outbox.pending(), 1);
}

#[test]
fn waits_double_up_to_the_cap() {
    let mut outbox = outbox(1);
    outbox.enqueue(START, record(1));
    let (mut now, mut waits) = (START, Vec::new());
    for _ in 0..12 {
        outbox.poll(now).unwrap();
        let next = outbox.next_wake().unwrap();
        waits.push(next - now);
        now = next;
    }
    let base = |tries: u32| (500_u64 << tries).min(20_000);
    for (tries, wait) in (0..).zip(waits) {
        let (low, high) = (base(tries), base(tries) + base(tries) / 2);
        assert!((low..=high).contains(&wait), "try {tries}: {wait} not in {low}..={high}");
    }
}

#[test]
fn a_record_enqueued_twice_is_sent_once() {
    let mut outbox = outbox(1);
    outbox.enqueue(START, record(1));
    outbox.enqueue(START, record(1));
    assert_eq!(outbox.pending(), 1);
    assert!(outbox.poll(START).is_some());
    assert!(outbox.poll(START).is_none());
}

#[test]
fn a_record_withdrawn_is_not_sent_and_the_others_are() {
    let mut outbox = outbox(1);
    let (given_up, kept) = (record(1), record(2));
    outbox.enqueue(0, given_up.clone());
    outbox.enqueue(0, kept);
    assert!(outbox.withdraw(&given_up.digest()));
    assert!(!outbox.withdraw(&given_up.digest()), "it waits no longer");
    assert_eq!(outbox.pending(), 1);
    assert!(outbox.poll(0).is_some());
    assert!(outbox.poll(0).is_none(), "one datagram, of the record that was kept");
}

/// The back-off of a path where all is lost says nothing about another.
#[test]
fn a_dead_path_backs_off_alone() {
    let mut outbox = outbox_by(vec![RetryPolicy::new(1000, 60_000), RetryPolicy::new(200, 200)], 1);
    outbox.enqueue(START, record(1));
    let mut sent = [0_u32; 2];
    while let Some(now) = outbox.next_wake().filter(|now| *now < START + 60_000) {
        sent[outbox.poll(now).unwrap().path] += 1;
    }
    assert!(sent[0] <= 7 && sent[1] >= 200, "{sent:?}");
}

#[test]
fn a_path_gives_the_others_its_head_start() {
    let policies = vec![RetryPolicy::default().starting_after(2_000), RetryPolicy::new(60_000, 60_000)];
    let mut outbox = outbox_by(policies, 1);
    outbox.enqueue(START, record(1));
    assert_eq!(outbox.poll(START).unwrap().path, 1);
    assert!(outbox.poll(START + 1_999).is_none());
    assert_eq!(outbox.poll(START + 2_000).unwrap().path, 0);
}

#[test]
fn a_record_that_no_path_takes_waits_in_silence() {
    let mut outbox = outbox_with(2, 1);
    outbox.enqueue(START, record(1));
    outbox.poll(START).unwrap();
    let digest = record(1).digest();
    assert_eq!([outbox.close_path(&digest, 0), outbox.close_path(&digest, 1)], [1, 0]);
    assert_eq!((outbox.next_wake(), outbox.pending()), (None, 1));
    let receipted = outbox.receive(START + 7, 1, &receipt_for(record(1).as_bytes(), &log_key())).unwrap();
    assert_eq!((receipted.path, receipted.tries, receipted.waited_ms), (1, 1, 7));
}
