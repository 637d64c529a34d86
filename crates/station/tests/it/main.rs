//! The outbox under arbitrary networks: whatever is lost, repeated, delayed, reordered or forged, each record ends with its
//! receipt and nothing else ever releases one.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helper functions too")]

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::{DefinitionHash, Phase};
use tallyproof_record::frame::{Frame, MacKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::tally::Stage;
use tallyproof_record::{ContestNo, StationNo, Tally};
use tallyproof_station::{Outbox, RefusedReceipt, RetryPolicy, StationIdentity};

const START: u64 = 1_800_000_000_000;
const ELECTION: DefinitionHash = DefinitionHash([4; 32]);
const STATION: StationNo = StationNo(17);

fn log_key() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

fn outbox(seed: u64) -> Outbox {
    let identity = StationIdentity {
        station: STATION,
        epoch: 1,
        mac: MacKey([5; 16]),
        election: ELECTION,
        log_key: log_key().verifying_key(),
    };
    Outbox::new(identity, RetryPolicy::default(), seed)
}

fn record(contest: u16) -> SealedRecord {
    let tally = Tally {
        election: ELECTION,
        phase: Phase::Drill,
        stage: Stage::Count,
        station: STATION,
        contest: ContestNo(contest),
        sealed_at: START / 1000,
        counts: vec![1, 2],
        blank: None,
        null: None,
        voters: None,
        registered: None,
        total: None,
        images: Vec::new(),
    };
    cose::seal(&tally, &SigningKey::from_bytes(&[6; 32]))
}

fn receipt_for(body: &[u8], key: &SigningKey) -> Vec<u8> {
    let sealed = SealedRecord::from_bytes(body.to_vec()).unwrap();
    let tally = cose::open(body).unwrap().tally;
    Receipt { station: tally.station, contest: tally.contest, digest: sealed.digest() }.sign(&ELECTION, key).to_vec()
}

/// What the network does to each transmission in turn; past the end it is perfect, so every run can finish.
#[derive(Clone, Debug)]
struct Weather {
    /// For each transmission, the delays of the receipts that come of it: none is a loss, several are copies.
    delays: Vec<Vec<u64>>,
}

fn weather() -> impl Strategy<Value = Weather> {
    let delays = prop::collection::vec(0..5_000_u64, 0..3);
    prop::collection::vec(delays, 0..60).prop_map(|delays| Weather { delays })
}

/// What a run showed.
struct Run {
    receipted: BTreeSet<u16>,
    attempts: Vec<u32>,
    sent_at: BTreeMap<u16, Vec<u64>>,
}

/// Drives an outbox with records of contests 1 to `contests` until nothing waits.
fn run(outbox: &mut Outbox, contests: u16, weather: &Weather) -> Run {
    let mut arriving: BTreeSet<(u64, usize, Vec<u8>)> = BTreeSet::new();
    let mut run = Run { receipted: BTreeSet::new(), attempts: Vec::new(), sent_at: BTreeMap::new() };
    (1..=contests).for_each(|contest| outbox.enqueue(START, record(contest)));
    while let Some(wake) = outbox.next_wake() {
        let next_arrival = arriving.first().map(|(at, ..)| *at);
        let now = next_arrival.map_or(wake, |at| at.min(wake)).max(START);
        while let Some(first) = arriving.first().filter(|(at, ..)| *at <= now).cloned() {
            arriving.remove(&first);
            if let Ok(receipted) = outbox.receive(now, &first.2) {
                assert!(run.receipted.insert(receipted.receipt.contest.0), "a record is released once");
            }
        }
        while let Some(datagram) = outbox.poll(now) {
            let frame = Frame::parse(&datagram).unwrap();
            frame.authenticate(&MacKey([5; 16])).unwrap();
            frame.check_digest().unwrap();
            let number = run.attempts.len();
            run.attempts.push(frame.header.attempt);
            let contest = cose::open(frame.body).unwrap().tally.contest.0;
            run.sent_at.entry(contest).or_default().push(now);
            let receipt = receipt_for(frame.body, &log_key());
            let perfect = vec![1];
            let delays = weather.delays.get(number).unwrap_or(&perfect);
            arriving.extend(
                delays.iter().enumerate().map(|(copy, delay)| (now + delay, number * 8 + copy, receipt.clone())),
            );
        }
    }
    run
}

proptest! {
    #[test]
    fn every_record_is_receipted_whatever_the_network_does(weather in weather(), contests in 1..6_u16, seed: u64) {
        let mut outbox = outbox(seed);
        let run = run(&mut outbox, contests, &weather);
        prop_assert_eq!(run.receipted, (1..=contests).collect::<BTreeSet<_>>());
        prop_assert_eq!(outbox.pending(), 0);
    }

    #[test]
    fn attempts_rise_strictly_even_past_a_restart(weather in weather(), contests in 1..6_u16, back in 0..10_000_000_u64) {
        let mut first = outbox(1);
        let before = run(&mut first, contests, &weather);
        // The clock was set back before the restart.
        let mut second = outbox(1).resume_after(first.last_attempt());
        second.enqueue(START - back, record(9));
        let datagram = second.poll(START - back).unwrap();
        let after = Frame::parse(&datagram).unwrap().header.attempt;
        let attempts: Vec<_> = before.attempts.into_iter().chain([after]).collect();
        prop_assert!(attempts.windows(2).all(|pair| pair[0] < pair[1]), "{attempts:?}");
    }

    #[test]
    fn a_record_is_never_sent_again_too_soon(weather in weather(), seed: u64) {
        let run = run(&mut outbox(seed), 3, &weather);
        for times in run.sent_at.values() {
            prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= RetryPolicy::FLOOR_MS), "{times:?}");
        }
    }

    #[test]
    fn foreign_bytes_release_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut outbox = outbox(3);
        outbox.enqueue(START, record(1));
        prop_assert!(outbox.receive(START, &bytes).is_err());
        prop_assert_eq!(outbox.pending(), 1);
    }

    #[test]
    fn a_receipt_with_any_byte_changed_releases_nothing(at in 0..108_usize, change in 1..=255_u8) {
        let mut outbox = outbox(3);
        outbox.enqueue(START, record(1));
        let mut receipt = receipt_for(record(1).as_bytes(), &log_key());
        receipt[at] ^= change;
        prop_assert!(outbox.receive(START, &receipt).is_err());
        receipt[at] ^= change;
        prop_assert!(outbox.receive(START, &receipt).is_ok());
    }
}

#[test]
fn receipts_of_others_are_refused() {
    let mut outbox = outbox(1);
    outbox.enqueue(START, record(1));
    let digest = record(1).digest();
    let forged = receipt_for(record(1).as_bytes(), &SigningKey::from_bytes(&[9; 32]));
    assert!(matches!(outbox.receive(START, &forged), Err(RefusedReceipt::Receipt(_))));
    let other = Receipt { station: StationNo(18), contest: ContestNo(1), digest }.sign(&ELECTION, &log_key());
    assert_eq!(outbox.receive(START, &other), Err(RefusedReceipt::OtherStation));
    let other_election =
        Receipt { station: STATION, contest: ContestNo(1), digest }.sign(&DefinitionHash([0; 32]), &log_key());
    assert!(matches!(outbox.receive(START, &other_election), Err(RefusedReceipt::Receipt(_))));
    let stranger = receipt_for(record(2).as_bytes(), &log_key());
    assert_eq!(outbox.receive(START, &stranger), Err(RefusedReceipt::NotWaiting));
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
