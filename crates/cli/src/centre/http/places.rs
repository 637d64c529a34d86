//! Who may hold a connection: a fixed number in all, and a share of it for each source.
//!
//! Everything is laid out at the start. Sources are counted in a fixed array by a hash with a random key, never in a map that an
//! attacker could fill; two sources that meet in one counter share it.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::counters::HttpDrop;

/// Counters of sources. A source that none of sixteen attackers meets in its counter is the rule: 255 of 256.
const SOURCES: usize = 4096;
/// Who has held a place for so long makes room for a newcomer that finds none. A client on a poor line needs less for its record.
const DUE: Duration = Duration::from_secs(2);

/// The places of one port.
#[derive(Debug)]
pub(super) struct Places {
    /// Connections of one source at most; 0 for no such limit.
    per_source: u16,
    key: RandomState,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    by_source: Box<[u16]>,
    holders: Box<[Option<Holder>]>,
    /// Tells a holder from a later one of the same place.
    next_serial: u64,
}

#[derive(Debug)]
struct Holder {
    serial: u64,
    source: usize,
    since: Instant,
    /// Dropped to ask the connection to go.
    _stay: oneshot::Sender<Infallible>,
}

/// A connection's place; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: usize,
    serial: u64,
    stay: oneshot::Receiver<Infallible>,
}

impl Places {
    pub(super) fn new(total: usize, per_source: u16) -> Arc<Self> {
        let held = Held {
            by_source: vec![0; SOURCES].into(),
            holders: std::iter::repeat_with(|| None).take(total).collect(),
            next_serial: 0,
        };
        Arc::new(Self { per_source, key: RandomState::new(), held: Mutex::new(held) })
    }

    /// A place for a connection from `from`; never waits. A newcomer that finds its share or the house full takes the place of the
    /// one who has held it longest, if that one is due: so places turn over however slow their holders are.
    pub(super) fn take(self: &Arc<Self>, from: IpAddr, now: Instant) -> Result<Place, HttpDrop> {
        let source = self.source(from);
        let mut held = self.held();
        let share_is_taken =
            self.per_source > 0 && held.by_source.get(source).is_some_and(|count| *count >= self.per_source);
        let (number, refusal) = if share_is_taken {
            (held.due(now, |holder| holder.source == source), HttpDrop::Source)
        } else {
            (held.free().or_else(|| held.due(now, |_| true)), HttpDrop::Full)
        };
        let number = number.ok_or(refusal)?;
        held.vacate(number);
        let (serial, stay) = held.settle(number, source, now);
        drop(held);
        Ok(Place { places: Arc::clone(self), number, serial, stay })
    }

    fn source(&self, from: IpAddr) -> usize {
        let hash = self.key.hash_one(network(from));
        usize::try_from(hash % SOURCES as u64).unwrap_or_default()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // No method of `Held` panics half-way.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts as one source: an IPv4 address, or the 2^64 IPv6 addresses that every customer has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Held {
    fn free(&self) -> Option<usize> {
        self.holders.iter().position(Option::is_none)
    }

    /// The place held longest by one of `whom`, if its holder is due.
    fn due(&self, now: Instant, whom: impl Fn(&Holder) -> bool) -> Option<usize> {
        let held = self.holders.iter().enumerate().filter_map(|(number, holder)| Some((number, holder.as_ref()?)));
        let (number, oldest) = held.filter(|(_, holder)| whom(holder)).min_by_key(|(_, holder)| holder.serial)?;
        (now.saturating_duration_since(oldest.since) >= DUE).then_some(number)
    }

    fn settle(&mut self, number: usize, source: usize, since: Instant) -> (u64, oneshot::Receiver<Infallible>) {
        let serial = self.next_serial;
        self.next_serial = serial.wrapping_add(1);
        let (sender, stay) = oneshot::channel();
        if let Some(place) = self.holders.get_mut(number) {
            *place = Some(Holder { serial, source, since, _stay: sender });
        }
        if let Some(count) = self.by_source.get_mut(source) {
            *count = count.saturating_add(1);
        }
        (serial, stay)
    }

    fn vacate(&mut self, number: usize) {
        let Some(holder) = self.holders.get_mut(number).and_then(Option::take) else { return };
        if let Some(count) = self.by_source.get_mut(holder.source) {
            *count = count.saturating_sub(1);
        }
    }
}

impl Place {
    /// Ends when a newcomer has been given the place.
    pub(super) async fn lost(&mut self) {
        // Nothing is ever sent: the sender is dropped.
        let _ = (&mut self.stay).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        let is_own = |holder: &Holder| holder.serial == self.serial;
        if held.holders.get(self.number).and_then(Option::as_ref).is_some_and(is_own) {
            held.vacate(self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// Counters of sources would meet now and then; these addresses' do not.
    fn sources(places: &Places) -> impl Iterator<Item = IpAddr> {
        let mut seen = std::collections::HashSet::new();
        (1..).map(|n| Ipv4Addr::from_bits(n).into()).filter(move |&address| seen.insert(places.source(address)))
    }

    fn is_lost(place: &mut Place) -> bool {
        place.stay.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn a_source_has_its_share_and_no_more() {
        let places = Places::new(8, 2);
        let now = Instant::now();
        let mut from = sources(&places);
        let (greedy, other) = (from.next().unwrap(), from.next().unwrap());
        let first = places.take(greedy, now).unwrap();
        let _second = places.take(greedy, now).unwrap();
        assert_eq!(places.take(greedy, now).unwrap_err(), HttpDrop::Source);
        let _other = places.take(other, now).unwrap();
        drop(first);
        let _again = places.take(greedy, now).unwrap();
    }

    #[test]
    fn a_newcomer_displaces_the_longest_holder_once_that_one_is_due() {
        let places = Places::new(3, 2);
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut from = sources(&places);
        let [a, b, c] = std::array::from_fn(|_| from.next().unwrap());
        let (mut oldest, _b) = (places.take(b, at(0)).unwrap(), places.take(b, at(1)).unwrap());
        let mut youngest = places.take(a, at(1000)).unwrap();
        assert_eq!(places.take(c, at(1999)).unwrap_err(), HttpDrop::Full);
        assert!(!is_lost(&mut oldest));
        let _c = places.take(c, at(2000)).unwrap();
        assert!(is_lost(&mut oldest) && !is_lost(&mut youngest));
        drop(oldest);
        assert_eq!(places.take(c, at(2000)).unwrap_err(), HttpDrop::Full, "the displaced one gives nothing back");
    }

    #[test]
    fn a_source_with_its_share_displaces_its_own() {
        let places = Places::new(8, 1);
        let start = Instant::now();
        let mut from = sources(&places);
        let [a, b] = std::array::from_fn(|_| from.next().unwrap());
        let mut other = places.take(b, start).unwrap();
        let mut own = places.take(a, start).unwrap();
        let _next = places.take(a, start + DUE).unwrap();
        assert!(is_lost(&mut own) && !is_lost(&mut other));
    }

    #[test]
    fn without_a_share_the_house_is_the_limit() {
        let places = Places::new(100, 0);
        let now = Instant::now();
        let held: Vec<_> = (0..100).map(|_| places.take(Ipv4Addr::LOCALHOST.into(), now).unwrap()).collect();
        assert_eq!(places.take(Ipv4Addr::LOCALHOST.into(), now).unwrap_err(), HttpDrop::Full);
        drop(held);
        assert!(places.held().by_source.iter().all(|count| *count == 0));
    }

    #[test]
    fn a_customer_s_ipv6_addresses_are_one_source() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
