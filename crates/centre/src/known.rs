//! Which records the centre already holds, by full digest.
//!
//! Only authentic records enter, so unauthenticated bytes cannot make it grow.

use std::collections::{HashMap, hash_map::Entry};

use tallyproof_record::{cose::RecordDigest, receipt};

/// A signed receipt's bytes.
pub type ReceiptBytes = [u8; receipt::LEN];

/// How far a record has come. `W` is whatever wants to be told.
#[derive(Debug)]
enum Standing<W> {
    /// On its way to the journal.
    Pending(Vec<W>),
    /// In the journal. After a restart the receipt is signed again when it is asked for: the signature is deterministic.
    Durable(Option<Box<ReceiptBytes>>),
}

/// What a record's arrival means.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival<W> {
    /// Never seen: write it to the journal.
    New(W),
    /// An identical record is on its way to the journal; who asks is told with it.
    Pending,
    /// It is durable. Send this receipt again, or sign one where there is none.
    Durable(W, Option<Box<ReceiptBytes>>),
}

/// The records held, and who waits for them.
#[derive(Debug)]
pub struct Known<W>(HashMap<RecordDigest, Standing<W>>);

impl<W> Default for Known<W> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<W> Known<W> {
    /// Most parties that wait for one record. An identical copy beyond it is told nothing and asks again.
    pub const MAX_WAITERS: usize = 8;

    /// Looks up bytes that may not be authentic: changes nothing about unknown ones.
    pub fn look(&mut self, digest: &RecordDigest, waiter: W) -> Arrival<W> {
        match self.0.get_mut(digest) {
            None => Arrival::New(waiter),
            Some(Standing::Durable(receipt)) => Arrival::Durable(waiter, receipt.clone()),
            Some(Standing::Pending(waiters)) => {
                join(waiters, waiter);
                Arrival::Pending
            }
        }
    }

    /// Notes that an authentic record is on its way to the journal, unless another copy came first.
    pub fn expect(&mut self, digest: RecordDigest, waiter: W) -> Arrival<W> {
        if let Entry::Vacant(place) = self.0.entry(digest) {
            place.insert(Standing::Pending(Vec::new()));
            return Arrival::New(waiter);
        }
        self.look(&digest, waiter)
    }

    /// The record is durable and this is its receipt; returns who else waits for it.
    pub fn settle(&mut self, digest: &RecordDigest, receipt: ReceiptBytes) -> Vec<W> {
        match self.0.insert(*digest, Standing::Durable(Some(Box::new(receipt)))) {
            Some(Standing::Pending(waiters)) => waiters,
            _ => Vec::new(),
        }
    }

    /// The journal could not take the record: a later copy is new again. Returns who else waits for it.
    pub fn forget(&mut self, digest: &RecordDigest) -> Vec<W> {
        match self.0.remove(digest) {
            Some(Standing::Pending(waiters)) => waiters,
            Some(durable) => {
                self.0.insert(*digest, durable);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Whether a copy of the record would be told from a new one.
    pub fn holds(&self, digest: &RecordDigest) -> bool {
        self.0.contains_key(digest)
    }

    /// Notes a record read back from the journal.
    pub fn restore(&mut self, digest: RecordDigest) {
        self.0.insert(digest, Standing::Durable(None));
    }
}

fn join<W>(waiters: &mut Vec<W>, waiter: W) {
    if waiters.len() < Known::<W>::MAX_WAITERS {
        waiters.push(waiter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: RecordDigest = [1; 32];

    #[test]
    fn a_record_is_new_once() {
        let mut known = Known::default();
        assert_eq!(known.look(&A, 1), Arrival::New(1), "a look leaves no trace");
        assert_eq!(known.expect(A, 1), Arrival::New(1));
        assert_eq!(known.expect(A, 2), Arrival::Pending);
        assert_eq!(known.look(&A, 3), Arrival::Pending);
        assert_eq!(known.settle(&A, [7; receipt::LEN]), [2, 3]);
        assert_eq!(known.expect(A, 4), Arrival::Durable(4, Some(Box::new([7; receipt::LEN]))));
    }

    #[test]
    fn a_record_that_the_journal_refused_is_new_again() {
        let mut known = Known::default();
        known.expect(A, 1);
        known.look(&A, 2);
        assert_eq!(known.forget(&A), [2]);
        assert_eq!(known.expect(A, 3), Arrival::New(3));
    }

    #[test]
    fn a_durable_record_is_never_forgotten() {
        let mut known = Known::default();
        known.restore(A);
        assert!(known.forget(&A).is_empty());
        assert_eq!(known.look(&A, 1), Arrival::Durable(1, None));
    }

    #[test]
    fn waiters_are_bounded() {
        let mut known = Known::default();
        known.expect(A, 0);
        for waiter in 0..100 {
            known.look(&A, waiter);
        }
        assert_eq!(known.settle(&A, [0; receipt::LEN]).len(), Known::<i32>::MAX_WAITERS);
    }
}
