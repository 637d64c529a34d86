//! Stations, relays, and the network between everybody.

use rand_chacha::rand_core::Rng;
use tallyproof_record::StationNo;

use super::super::country::{SlotNo, Variant};
use super::super::mark::Mark;
use super::super::plan::{LIAR, What};
use super::super::post::{Message, Node, Parcel};
use super::super::relay::Relay;
use super::super::station::DIRECT;
use super::{Event, Step, World};

/// Datagrams that an attacker has recorded.
const RECORDED: usize = 64;

impl World<'_> {
    /// Something befalls a station or a relay.
    pub(super) fn befall_stations(&mut self, what: What) {
        let now = self.now;
        match what {
            What::StationPower { station, operations } => {
                if let Some(station) = self.stations.get_mut(station.index()) {
                    station.power_in = Some(operations);
                }
            }
            What::StationClock { station, by_ms } => self.set_clock(station, by_ms),
            What::StationDrift { station, ppm } => {
                self.marks.hit(Mark::StationDrift);
                if let Some(station) = self.stations.get_mut(station.index()) {
                    station.drift(now, ppm);
                }
                self.after_station(station, false);
            }
            What::PathChange { station } => {
                if let Some(station) = self.stations.get_mut(station.index()) {
                    station.address += 1;
                }
            }
            What::RelayPower { relay, down_ms } => {
                if let Some(relay) = self.relays.get_mut(relay) {
                    relay.lose_power(&mut self.marks);
                }
                self.add(down_ms, Event::StartRelay(relay));
            }
            What::RelayTurns { relay, conduct } => {
                if let Some(relay) = self.relays.get_mut(relay) {
                    relay.conduct = conduct;
                }
            }
            _ => {}
        }
    }

    pub(super) fn seal(&mut self, slot: SlotNo, variant: Variant) {
        // The officer uses the second key once the authority has its receipts for it.
        let variant = match variant {
            Variant::Rekeyed if !self.desk.has_enrolled(slot.0) => Variant::Own,
            other => other,
        };
        match variant {
            Variant::Rekeyed => self.marks.hit(Mark::Rekeyed),
            Variant::Other => self.marks.hit(Mark::Conflict),
            Variant::TooMany => self.marks.hit(Mark::Quarantine),
            Variant::Impossible => self.marks.hit(Mark::Rejected),
            Variant::Own | Variant::Again => {}
        }
        let (country, now) = (self.country, self.now);
        let Some(station) = self.stations.get_mut(slot.0.index()) else { return };
        let sealed = if slot.0 == LIAR && station.has_sealed(slot) {
            station.seal_second(country, now, slot, variant);
            Ok(())
        } else {
            station.seal(country, now, slot, variant, &mut self.marks)
        };
        self.after_station(slot.0, sealed.is_err());
    }

    /// Restarts a station whose power failed, or wakes it when it is due.
    pub(super) fn after_station(&mut self, no: StationNo, lost_power: bool) {
        let Some(station) = self.stations.get_mut(no.index()) else { return };
        if lost_power {
            station.lose_power();
            let down = 100 + u64::from(self.rng.next_u32()) % 4_000;
            self.note(|| format!("station {no} loses power"));
            self.add(down, Event::StartStation(no));
        } else if let Some(at) = station.next_wake() {
            self.wake_at(Node::Station(no), at.max(self.now), Event::Wake(no));
        }
    }

    pub(super) fn start_station(&mut self, no: StationNo) {
        let (country, now) = (self.country, self.now);
        let Some(station) = self.stations.get_mut(no.index()).filter(|station| !station.is_up()) else { return };
        let started = station.start(country, now, &mut self.marks);
        self.after_station(no, started.is_err());
    }

    fn set_clock(&mut self, no: StationNo, by_ms: i64) {
        self.marks.hit(Mark::StationClock);
        if let Some(station) = self.stations.get_mut(no.index()) {
            station.clock = by_ms;
        }
        // Only a program that starts looks at the wall clock.
        self.after_station(no, true);
    }

    pub(super) fn wake(&mut self, no: StationNo) -> Step {
        let mut out = Vec::new();
        let Some(station) = self.stations.get_mut(no.index()) else { return Ok(()) };
        let woken = station.wake(self.now, &mut out, &mut self.marks);
        self.after_station(no, woken.is_err());
        self.send_all(&out)
    }

    pub(super) fn send_all(&mut self, parcels: &[Parcel]) -> Step {
        parcels.iter().try_for_each(|parcel| self.send(parcel))
    }

    pub(super) fn send(&mut self, parcel: &Parcel) -> Step {
        self.checker.sent(self.country, parcel)?;
        if let (Node::Station(_), DIRECT, Message::Datagram(datagram)) = (parcel.from, parcel.path, &parcel.message)
            && self.recorded.len() < RECORDED
        {
            self.recorded.push(datagram.clone());
        }
        for at in self.network.carry(self.now, parcel, &mut self.marks) {
            self.add_at(at, Event::Arrive(parcel.clone()));
        }
        Ok(())
    }

    pub(super) fn arrive(&mut self, parcel: Parcel) -> Step {
        match parcel.to {
            Node::Centre => {
                if let Message::Answer(asking, answer) = parcel.message {
                    return self.arrive_at_gatherer(Node::Centre, asking, answer);
                }
                let clock = self.centre_time();
                if let Some(centre) = &mut self.centre {
                    centre.receive(clock, &parcel, &mut self.marks);
                }
                Ok(())
            }
            Node::Station(no) => self.arrive_at_station(no, &parcel),
            Node::Witness(no) => match parcel.message {
                Message::Ask(asking, body) => self.arrive_at_witness(no, asking, &body),
                _ => Ok(()),
            },
            Node::Operator => match parcel.message {
                Message::Answer(asking, answer) => self.arrive_at_gatherer(Node::Operator, asking, answer),
                _ => Ok(()),
            },
            Node::Desk => self.arrive_at_desk(&parcel.message),
            Node::Relay(no) => {
                let mut out = Vec::new();
                if let Some(relay) = self.relays.get_mut(no) {
                    relay.receive((self.country, &self.relay_intake), self.now, &parcel, &mut out, &mut self.marks);
                }
                self.schedule_relay(no);
                self.send_all(&out)
            }
            Node::Attacker => Ok(()),
        }
    }

    fn arrive_at_station(&mut self, no: StationNo, parcel: &Parcel) -> Step {
        let Message::Receipt(bytes) = &parcel.message else { return Ok(()) };
        let Some(station) = self.stations.get_mut(no.index()) else { return Ok(()) };
        if parcel.address != station.address {
            self.marks.hit(Mark::PathChanged);
            return Ok(());
        }
        match station.receive(self.now, parcel.path, bytes, &mut self.marks) {
            Ok(Some(digest)) => {
                self.note(|| format!("station {no} has a receipt"));
                if !self.checker.rolled_back.contains(&digest) {
                    self.checker.receipt_accepted(&digest)?;
                }
            }
            Ok(None) => {}
            Err(_) => self.after_station(no, true),
        }
        Ok(())
    }

    pub(super) fn wake_relay(&mut self, no: usize) -> Step {
        let mut out = Vec::new();
        if let Some(relay) = self.relays.get_mut(no) {
            relay.wake(self.now, &mut out, &mut self.marks);
        }
        self.schedule_relay(no);
        self.send_all(&out)
    }

    fn schedule_relay(&mut self, no: usize) {
        if let Some(at) = self.relays.get(no).and_then(Relay::next_wake) {
            self.wake_at(Node::Relay(no), at.max(self.now + 1), Event::WakeRelay(no));
        }
    }
}
