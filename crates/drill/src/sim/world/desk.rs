//! The desk where statements are handed in.

use tallyproof_record::cose::RecordDigest;

use super::super::country::SlotNo;
use super::super::mark::Mark;
use super::super::post::{Message, Node, Parcel};
use super::super::statement::Matter;
use super::super::station::BY_POST;
use super::{Event, Step, World};

/// How long whoever hands in a statement waits for an answer.
const AGAIN: u64 = 3_000;

impl World<'_> {
    /// A statement is drafted and signed; its copies come one after the other.
    pub(super) fn state(&mut self, what: (Matter, SlotNo, u32), apart_ms: u64) {
        let copies = self.desk.draft(self.country, self.now, what, self.checker.ledger());
        for (after, digest) in (0..).map(|place| place * apart_ms).zip(copies) {
            self.add(after, Event::HandIn(digest));
        }
    }

    /// Hands a copy in, and again until it is answered.
    pub(super) fn submit(&mut self, digest: RecordDigest) -> Step {
        let Some(bytes) = self.desk.waiting(&digest) else { return Ok(()) };
        self.add(AGAIN, Event::Submit(digest));
        let message = Message::Post(bytes);
        self.send(&Parcel { from: Node::Desk, to: Node::Centre, address: 0, path: BY_POST, message })
    }

    /// An answer has come to the desk.
    pub(super) fn arrive_at_desk(&mut self, message: &Message) -> Step {
        match message {
            Message::Receipt(bytes) => {
                let Some(digest) = self.desk.receive(self.country, bytes) else { return Ok(()) };
                self.note(|| "the desk has a receipt".into());
                if !self.checker.rolled_back.contains(&digest) {
                    return self.checker.receipt_accepted(&digest);
                }
                // Of the journal that is gone: whoever hears of a rollback holds its receipts for nothing.
                if !self.disk.journal.digests().contains(&digest) {
                    self.desk.reopen(digest);
                    self.add(AGAIN, Event::Submit(digest));
                }
                Ok(())
            }
            Message::Refused(digest) => {
                self.note(|| "the desk is refused".into());
                self.desk.refused(digest);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// After a rollback that nobody saw, the authority hands in again what it has receipts for.
    pub(super) fn hand_in_again(&mut self) {
        for digest in self.desk.again() {
            self.marks.hit(Mark::StatementsAgain);
            self.add(1_000, Event::Submit(digest));
        }
    }
}
