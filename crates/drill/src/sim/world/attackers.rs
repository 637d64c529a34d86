//! Whoever replays, forges and floods.

use rand_chacha::rand_core::Rng;
use tallyproof_record::StationNo;
use tallyproof_record::frame::{self, HEADER_LEN};

use super::super::country::EPOCH;
use super::super::mark::Mark;
use super::super::post::{Message, Node, Parcel};
use super::super::station::DIRECT;
use super::{Event, Step, World};

impl World<'_> {
    pub(super) fn replay(&mut self, left: u32) -> Step {
        if self.mended || left == 0 || self.recorded.is_empty() {
            return Ok(());
        }
        let pick = self.rng.next_u32() as usize % self.recorded.len();
        let datagram = self.recorded.get(pick).cloned().unwrap_or_default();
        self.marks.hit(Mark::Replayed);
        let after = 20 + u64::from(self.rng.next_u32()) % 400;
        self.add(after, Event::Replay(left - 1));
        self.send(&Parcel {
            from: Node::Attacker,
            to: Node::Centre,
            address: 0,
            path: DIRECT,
            message: Message::Datagram(datagram),
        })
    }

    /// Datagrams with a tag that holds and attempts that rise, each with a record that everybody has seen.
    pub(super) fn flood(&mut self, station: StationNo, datagrams: u32) {
        let Some(mac) = self.country.identity(station).map(|identity| identity.mac) else { return };
        let Some(body) = self.recorded.last().and_then(|datagram| datagram.get(HEADER_LEN..)).map(<[u8]>::to_vec)
        else {
            return;
        };
        for number in 0..datagrams {
            let attempt = frame::attempt_at(self.now).saturating_add(number);
            let message = Message::Datagram(frame::encode(station, EPOCH, attempt, &body, &mac));
            // From next door: in order, and without loss.
            self.add(
                1,
                Event::Arrive(Parcel { from: Node::Attacker, to: Node::Centre, address: 0, path: DIRECT, message }),
            );
        }
    }

    /// A datagram or record with a changed byte: header, tag, body or signature.
    pub(super) fn forge(&mut self, left: u32) -> Step {
        if self.mended || left == 0 || self.recorded.is_empty() {
            return Ok(());
        }
        let pick = self.rng.next_u32() as usize % self.recorded.len();
        let mut forged = self.recorded.get(pick).cloned().unwrap_or_default();
        let place = self.rng.next_u32() as usize % forged.len().max(1);
        forged.get_mut(place).into_iter().for_each(|byte| *byte ^= 1);
        self.marks.hit(Mark::Forged);
        let after = 20 + u64::from(self.rng.next_u32()) % 400;
        self.add(after, Event::Forge(left - 1));
        let posted = left.is_multiple_of(8);
        let message = if posted {
            Message::Post(forged.get(HEADER_LEN..).unwrap_or_default().to_vec())
        } else {
            Message::Datagram(forged)
        };
        self.send(&Parcel { from: Node::Attacker, to: Node::Centre, address: 0, path: DIRECT, message })
    }
}
