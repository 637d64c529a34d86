//! The queue between receivers and workers: the lanes of `tallyproof-centre`, behind a lock that is held for moves alone.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tallyproof_centre::{Lane, Lanes};

/// Lanes that threads share.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// Something was added, or the queue was closed.
    filled: Condvar,
    /// Something was taken, or the queue was closed.
    emptied: Condvar,
}

#[derive(Debug)]
struct State<T> {
    lanes: Lanes<T>,
    /// Takers that wait. Waking nobody costs a system call all the same.
    takers: usize,
    /// As many that wait for room.
    givers: usize,
    closed: bool,
}

/// An item, its lane, and how much memory it keeps, in bytes.
pub(super) type Item<T> = (Lane, usize, T);

impl<T> Queue<T> {
    pub(super) fn new(capacity: impl Fn(Lane) -> usize) -> Self {
        let state = State { lanes: Lanes::new(capacity), takers: 0, givers: 0, closed: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// Adds what there is room for and never waits for room; returns how many items were lost.
    pub(super) fn offer(&self, items: impl IntoIterator<Item = Item<T>>) -> usize {
        let mut state = self.state();
        let items = items.into_iter();
        let lost = items.filter_map(|(lane, weight, item)| state.lanes.push(lane, weight, item).err()).count();
        self.wake_takers(&state);
        lost
    }

    /// Adds an item, waiting for room; loses it if the queue is closed, or if it is heavier than its lane.
    pub(super) fn give(&self, (lane, weight, mut item): Item<T>) {
        let mut state = self.state();
        while !state.closed {
            match state.lanes.push(lane, weight, item) {
                Ok(()) => return self.wake_takers(&state),
                Err(_) if state.lanes.is_empty() => return,
                Err(back) => item = back,
            }
            state.givers += 1;
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.givers -= 1;
        }
    }

    /// Waits for something, then takes up to `most` items at once; nothing once the queue is closed and empty.
    pub(super) fn take(&self, most: usize, taken: &mut Vec<T>) {
        let mut state = self.state();
        while state.lanes.is_empty() && !state.closed {
            state.takers += 1;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.takers -= 1;
        }
        taken.extend(std::iter::from_fn(|| state.lanes.pop()).take(most));
        if state.givers > 0 {
            self.emptied.notify_all();
        }
    }

    /// Lets takers end once they have taken what is there.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    fn wake_takers(&self, state: &State<T>) {
        if state.takers > 0 && !state.lanes.is_empty() {
            self.filled.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing under the lock runs code of others, so a panic cannot have left it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn take(queue: &Queue<u32>) -> Vec<u32> {
        let mut taken = Vec::new();
        queue.take(10, &mut taken);
        taken
    }

    #[test]
    fn what_finds_no_room_is_lost_and_counted() {
        let queue = Queue::new(|_| 2);
        assert_eq!(queue.offer((0..5).map(|item| (Lane::Fresh, 1, item))), 3);
        assert_eq!(take(&queue), [0, 1]);
    }

    #[test]
    fn who_can_wait_waits_for_room() {
        let queue = Queue::new(|_| 1);
        thread::scope(|threads| {
            threads.spawn(|| {
                for item in 0..100 {
                    queue.give((Lane::Carried, 1, item));
                }
            });
            let all: Vec<u32> = std::iter::repeat_with(|| take(&queue)).flatten().take(100).collect();
            assert!(all.is_sorted() && all.len() == 100);
        });
    }

    #[test]
    fn nobody_waits_for_room_that_there_will_never_be() {
        let queue = Queue::new(|_| 1);
        queue.give((Lane::Carried, 2, 7));
        queue.give((Lane::Carried, 1, 8));
        assert_eq!(take(&queue), [8]);
    }

    #[test]
    fn a_closed_queue_is_emptied_and_keeps_nobody() {
        let queue = Queue::new(|_| 1);
        queue.give((Lane::Carried, 1, 7));
        thread::scope(|threads| {
            threads.spawn(|| queue.give((Lane::Carried, 1, 8)));
            queue.close();
        });
        assert_eq!((take(&queue).first(), take(&queue).first()), (Some(&7), None));
    }
}
