//! The queue before the signature checks: bounded, in lanes by what is known of the sender, so that under attack the records still
//! missing are checked first.

use std::collections::VecDeque;

/// What is waiting, in the order of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Datagrams of stations that have not all their records in yet.
    Fresh,
    /// What came without a station's tag: over HTTP, from a folder.
    Carried,
    /// Datagrams of stations whose records are all in: copies, and second records.
    Later,
}

impl Lane {
    /// Every lane, in the order of service.
    pub const ALL: [Self; 3] = [Self::Fresh, Self::Carried, Self::Later];
}

/// Bounded first-in-first-out queues, one a lane.
///
/// The first lane with anything in it is served, but every [`Lanes::TURN`]-th turn goes to the others, each in its turn: whoever
/// holds every station's MAC key could otherwise keep them waiting for ever.
#[derive(Debug)]
pub struct Lanes<T> {
    queues: [Queue<T>; Lane::ALL.len()],
    turn: u8,
}

#[derive(Debug)]
struct Queue<T> {
    /// Items and what each of them weighs.
    items: VecDeque<(usize, T)>,
    /// What may still be added.
    room: usize,
}

impl<T> Lanes<T> {
    /// One turn in so many goes to a later lane first.
    pub const TURN: u8 = 8;

    /// Empty lanes, each of which holds up to so much (in the unit of [`Lanes::push`]).
    pub fn new(capacity: impl Fn(Lane) -> usize) -> Self {
        Self { queues: Lane::ALL.map(|lane| Queue { items: VecDeque::new(), room: capacity(lane) }), turn: 0 }
    }

    /// Appends an item that weighs so much: bytes, so that long records cannot take more memory than short ones. Gives it back
    /// if its lane has no room for it.
    pub fn push(&mut self, lane: Lane, weight: usize, item: T) -> Result<(), T> {
        let queue = &mut self.queues[lane as usize];
        let Some(room) = queue.room.checked_sub(weight) else { return Err(item) };
        queue.room = room;
        queue.items.push_back((weight, item));
        Ok(())
    }

    /// Takes the item whose turn it is.
    pub fn pop(&mut self) -> Option<T> {
        let item = self.order().into_iter().find_map(|lane| self.queues[lane as usize].pop())?;
        self.turn = (self.turn + 1) % (2 * Self::TURN);
        Some(item)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queues.iter().all(|queue| queue.items.is_empty())
    }

    fn order(&self) -> [Lane; Lane::ALL.len()] {
        const LAST: u8 = Lanes::<()>::TURN - 1;
        const LAST_OF_BOTH: u8 = 2 * Lanes::<()>::TURN - 1;
        match self.turn {
            LAST => [Lane::Carried, Lane::Later, Lane::Fresh],
            LAST_OF_BOTH => [Lane::Later, Lane::Carried, Lane::Fresh],
            _ => Lane::ALL,
        }
    }
}

impl<T> Queue<T> {
    fn pop(&mut self) -> Option<T> {
        let (weight, item) = self.items.pop_front()?;
        self.room += weight;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lane() -> impl Strategy<Value = Lane> {
        proptest::sample::select(Lane::ALL.to_vec())
    }

    fn drain(lanes: &mut Lanes<(Lane, u32)>) -> Vec<(Lane, u32)> {
        std::iter::from_fn(|| lanes.pop()).collect()
    }

    #[test]
    fn missing_records_go_first() {
        let mut lanes = Lanes::new(|_| 10);
        for lane in [Lane::Later, Lane::Carried, Lane::Fresh] {
            lanes.push(lane, 1, (lane, 0)).unwrap();
        }
        assert_eq!(drain(&mut lanes), Lane::ALL.map(|lane| (lane, 0)));
        assert!(lanes.is_empty());
    }

    #[test]
    fn no_lane_waits_for_ever() {
        let mut lanes = Lanes::new(|_| 1000);
        let mut served = [0; 3];
        for turn in 0..160 {
            for lane in Lane::ALL {
                lanes.push(lane, 1, (lane, turn)).unwrap();
            }
            let (lane, _) = lanes.pop().unwrap();
            served[lane as usize] += 1;
        }
        assert_eq!(served, [140, 10, 10]);
    }

    #[test]
    fn a_full_lane_gives_back_and_takes_no_room_from_the_others() {
        let mut lanes = Lanes::new(|_| 100);
        assert_eq!(lanes.push(Lane::Later, 101, "longer than the lane"), Err("longer than the lane"));
        assert_eq!(lanes.push(Lane::Later, 60, "a"), Ok(()));
        assert_eq!(lanes.push(Lane::Later, 60, "b"), Err("b"));
        assert_eq!(lanes.push(Lane::Fresh, 60, "c"), Ok(()));
        assert_eq!((lanes.pop(), lanes.pop()), (Some("c"), Some("a")));
        assert_eq!(lanes.push(Lane::Later, 100, "b"), Ok(()), "what was taken leaves its room");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_each_lane_keeps_its_order(
            steps in proptest::collection::vec((lane(), 1..40_usize, any::<bool>()), 0..200),
        ) {
            let mut lanes = Lanes::new(|_| 400);
            let (mut pushed, mut popped) = (Vec::new(), Vec::new());
            for (number, (lane, weight, pop)) in (0_u32..).zip(steps) {
                if lanes.push(lane, weight, (lane, number)).is_ok() {
                    pushed.push((lane, number));
                }
                popped.extend(pop.then(|| lanes.pop()).flatten());
            }
            popped.extend(drain(&mut lanes));
            for lane in Lane::ALL {
                let of = |all: &[(Lane, u32)]| all.iter().filter(|(its, _)| *its == lane).copied().collect::<Vec<_>>();
                prop_assert_eq!(of(&pushed), of(&popped));
            }
        }
    }
}
