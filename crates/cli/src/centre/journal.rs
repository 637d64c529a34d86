//! The journal thread: makes groups of records durable, and only then lets their receipts be signed.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use tallyproof_centre::intake::Refusal;
use tallyproof_centre::writer::{Durable, NotDurable};
use tallyproof_centre::{Journal, writer};
use tallyproof_record::cose::RecordDigest;

use super::Cut;
use super::pipeline::{Answer, Reply, Taken, turn_away};
use super::publisher::ToPublisher;
use super::shared::{Shared, add};

/// Most records of one transaction.
const GROUP: usize = 1024;
/// Worker batches that wait for the journal: when it stalls, the workers stall, then the gate's queue fills, then it drops.
const QUEUE: usize = 64;
/// Below this many receipts, waking other threads costs more than it saves.
const SIGN_TOGETHER: usize = 64;

/// What the journal thread is told.
#[derive(Debug)]
pub(super) enum ToJournal {
    /// Make these durable.
    Records(Vec<Taken>),
    /// End the batch here, publish everything, then say so.
    CutNow(mpsc::Sender<()>),
    /// As [`ToJournal::CutNow`], and take no more records.
    Close(mpsc::Sender<()>),
    /// Take records again.
    Reopen,
    /// Make what came before this durable, publish everything, and end.
    Stop,
}

/// A durable group, and who waits for its receipts.
pub(super) type Settled = Vec<Durable<Reply>>;

/// The queue to the journal thread.
pub(super) fn queue() -> (SyncSender<ToJournal>, Receiver<ToJournal>) {
    sync_channel(QUEUE)
}

/// The queue to the receipts thread.
pub(super) fn receipts_queue() -> (SyncSender<Settled>, Receiver<Settled>) {
    sync_channel(QUEUE)
}

/// The journal thread's state.
pub(super) struct Writer<J> {
    pub(super) shared: Arc<Shared>,
    pub(super) journal: J,
    pub(super) inbox: Receiver<ToJournal>,
    pub(super) receipts: SyncSender<Settled>,
    pub(super) publisher: mpsc::Sender<ToPublisher>,
    /// Set while the publisher has a batch in hand: it then gets a larger one next instead of a queue of small ones.
    pub(super) publishing: Arc<AtomicBool>,
    pub(super) cut: Cut,
    pub(super) last_cut: Instant,
    /// Records on their way, and those that no cut covers yet.
    pub(super) records: writer::Writer<Reply>,
    /// Whether the log is about to be finished: no record may come after its last checkpoint.
    pub(super) closed: bool,
}

/// Whether the thread goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl<J: Journal> Writer<J> {
    /// Runs until it is told to stop, or the centre halts.
    pub(super) fn run(mut self) {
        while self.shared.halted().is_none() {
            let first = match self.inbox.recv_timeout(self.until_cut()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(ToJournal::Stop),
            };
            if self.gather(first) == Next::End {
                return;
            }
            self.commit();
            if self.cut_is_due() {
                self.cut();
            }
        }
    }

    /// Takes what has arrived, up to a full group: a busy centre writes large groups, an idle one writes at once.
    fn gather(&mut self, first: Option<ToJournal>) -> Next {
        let mut message = first;
        while let Some(current) = message {
            match current {
                ToJournal::Records(taken) if self.closed => {
                    self.turn_away(taken.into_iter().map(|taken| (*taken.record.digest(), taken.reply)));
                }
                ToJournal::Records(taken) => {
                    for Taken { record, reply } in taken {
                        self.records.take(record, reply);
                    }
                }
                ToJournal::Close(done) => {
                    self.closed = true;
                    self.publish_all(Some(done));
                }
                ToJournal::Reopen => self.closed = false,
                ToJournal::CutNow(done) => self.publish_all(Some(done)),
                ToJournal::Stop => {
                    self.publish_all(None);
                    return Next::End;
                }
            }
            message = if self.records.waiting() < GROUP { self.inbox.try_recv().ok() } else { None };
        }
        Next::GoOn
    }

    fn publish_all(&mut self, done: Option<mpsc::Sender<()>>) {
        self.commit();
        if self.cut() {
            // The publisher is gone only if the centre halts; the caller's channel closes with it.
            let _ = self.publisher.send(ToPublisher::Everything(done));
        }
    }

    fn commit(&mut self) {
        let commit = self.records.commit(&self.shared.intake, &mut self.journal);
        for (digest, reply) in commit.repeated {
            let waiting = self.shared.known(&digest).forget(&digest);
            turn_away(&self.shared, Answer::Refused(Refusal::Known), waiting.into_iter().chain([reply]));
        }
        match commit.written {
            Ok(durable) if durable.is_empty() => {}
            Ok(durable) => self.settle(durable),
            Err(refused) => self.refuse(refused),
        }
    }

    fn settle(&mut self, durable: Settled) {
        add(&self.shared.counters.journalled, durable.len());
        self.succeeded();
        for record in &durable {
            self.shared.outstanding.settle(record.station(), record.contest());
        }
        // The receipts thread outlives this one.
        let _ = self.receipts.send(durable);
    }

    /// No receipt, ever, for a group that the journal did not take.
    fn refuse(&self, NotDurable { error, records }: NotDurable<Reply, J::Error>) {
        self.failed(&error, "the journal takes no records; no receipts for them");
        self.turn_away(records);
    }

    /// Its senders send again.
    fn turn_away(&self, records: impl IntoIterator<Item = (RecordDigest, Reply)>) {
        for (digest, reply) in records {
            let waiters = self.shared.known(&digest).forget(&digest);
            waiters.into_iter().chain([reply]).for_each(|reply| reply.answer(Answer::Unavailable));
        }
    }

    /// Counts a failure. The first of a row is said: stations and attackers who go on sending must not fill the disk of the program's
    /// log, which may be this one.
    fn failed(&self, error: &J::Error, what: &'static str) {
        add(&self.shared.counters.journal_failures, 1);
        if !self.shared.counters.journal_failing.swap(true, Relaxed) {
            tracing::error!(%error, what);
        }
    }

    fn succeeded(&self) {
        if self.shared.counters.journal_failing.swap(false, Relaxed) {
            tracing::warn!("the journal takes records again");
        }
    }

    fn until_cut(&self) -> Duration {
        const LONG: Duration = Duration::from_secs(1);
        match self.cut {
            Cut::Every(period) if self.records.has_uncut() => {
                period.saturating_sub(self.last_cut.elapsed()).clamp(Duration::from_millis(1), LONG)
            }
            _ => LONG,
        }
    }

    fn cut_is_due(&self) -> bool {
        let Cut::Every(period) = self.cut else { return false };
        self.records.has_uncut() && self.last_cut.elapsed() >= period && !self.publishing.load(Relaxed)
    }

    /// Ends the batch: the cut is durable before the publisher hears of it. Says whether it is.
    fn cut(&mut self) -> bool {
        self.last_cut = Instant::now();
        match self.records.cut(&mut self.journal) {
            Ok(None) => true,
            Ok(Some((cut, batch))) => {
                self.succeeded();
                self.publishing.store(true, Relaxed);
                self.publisher.send(ToPublisher::Batch(cut, batch)).is_ok()
            }
            Err(error) => {
                self.failed(&error, "the journal could not note the end of a batch; it stays open");
                false
            }
        }
    }
}

/// Runs the receipts thread until the journal thread ends: signs for durable records, and answers everyone who waits.
pub(super) fn sign_receipts(shared: &Shared, inbox: &Receiver<Settled>) {
    for settled in inbox {
        if settled.len() < SIGN_TOGETHER {
            for one in settled {
                hand_out(shared, one);
            }
        } else {
            let together = settled.into_par_iter().with_min_len(SIGN_TOGETHER);
            shared.pool.install(|| together.for_each(|one| hand_out(shared, one)));
        }
    }
}

fn hand_out(shared: &Shared, durable: Durable<Reply>) {
    let (digest, signed) = (*durable.digest(), durable.sign(shared.definition.hash(), &shared.keys.receipts));
    let mut waiters = shared.known(&digest).settle(&digest, signed);
    waiters.push(durable.into_waiter());
    add(&shared.counters.receipts, waiters.len());
    for reply in waiters {
        reply.answer(Answer::Receipt(signed));
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use tallyproof_centre::journal::{self, Row, Step};
    use tallyproof_log::policy::Policy;
    use tallyproof_record::definition::package::{self, Files};
    use tallyproof_record::definition::{Committed, StationKey};
    use tallyproof_record::{ContestNo, Phase, StationNo, Tally, cose};
    use tokio::sync::oneshot;

    use super::super::keys::CentreKeys;
    use super::super::shared::Health;
    use super::*;

    /// A journal on a disk that is full until there is room.
    struct Full {
        room: bool,
        last: u64,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("disk full")]
    struct DiskFull;

    impl Journal for Full {
        type Error = DiskFull;

        fn append(&mut self, rows: &[Row<'_>]) -> Result<u64, DiskFull> {
            if !self.room {
                return Err(DiskFull);
            }
            self.last += rows.len() as u64;
            Ok(self.last)
        }

        fn mark(&mut self, _: journal::Cut) -> Result<(), DiskFull> {
            if self.room { Ok(()) } else { Err(DiskFull) }
        }

        fn replay<E: From<DiskFull>>(&mut self, _: impl FnMut(Step<'_>) -> Result<(), E>) -> Result<(), E> {
            Ok(())
        }

        fn last(&self) -> u64 {
            self.last
        }
    }

    fn election(key: &SigningKey) -> Committed {
        let toml = "format = 1\nid = \"t\"\nname = \"T\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                    [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
        let files = [
            ("election.toml", toml),
            ("areas.csv", "id,parent,name,kind\nall,,All,country\n"),
            ("stations.csv", "id,area,registered\ns1,all,1000\n"),
            ("ballot.csv", "contest,line\noffice,a\n"),
        ];
        let files: Files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
        package::parse(&files).unwrap().with_keys(|_| StationKey::from(key.verifying_key())).commit()
    }

    fn sealed(election: &Committed, key: &SigningKey) -> Vec<u8> {
        sealed_as(election, key, 1)
    }

    fn sealed_as(election: &Committed, key: &SigningKey, votes: u32) -> Vec<u8> {
        let tally = Tally::new(*election.hash(), Phase::Drill, StationNo(1), ContestNo(1), 0, vec![votes]);
        cose::seal(&tally, key).into_bytes()
    }

    /// What a worker would have handed on.
    fn taken(shared: &Shared, bytes: &[u8]) -> (Taken, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        let record = shared.intake.admit(bytes.to_vec()).unwrap();
        let digest = *record.digest();
        let arrival = shared.known(&digest).expect(digest, Reply::Caller(reply));
        let tallyproof_centre::known::Arrival::New(reply) = arrival else { panic!("{arrival:?}") };
        (Taken { record, reply }, answer)
    }

    #[test]
    fn without_a_vital_thread_the_centre_halts_and_does_not_look_well() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let keys = CentreKeys::new("log.example/t", [2; 32], [3; 32]).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().build().unwrap();
        let shared = Arc::new(Shared::new(Arc::new(election(&key)), keys, Policy::default(), pool));
        std::thread::spawn(super::super::vital(&shared, || ())).join().unwrap();
        assert_eq!(shared.health(), Health::Well, "who ends in good order is not missed");
        let fault = super::super::vital(&shared, || panic!("a fault"));
        assert!(super::super::thread("the-thread", fault).unwrap().join().is_err());
        assert!(matches!(shared.health(), Health::Halted(why) if why.contains("the-thread")));
    }

    #[test]
    fn what_the_journal_did_not_take_gets_no_receipt_and_is_new_again() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let election = election(&key);
        let bytes = sealed(&election, &key);
        let keys = CentreKeys::new("log.example/t", [2; 32], [3; 32]).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().build().unwrap();
        let shared = Arc::new(Shared::new(Arc::new(election), keys, Policy::default(), pool));
        let (_, inbox) = queue();
        let (receipts, settled) = receipts_queue();
        let (publisher, batches) = mpsc::channel();
        let mut writer = Writer {
            shared: Arc::clone(&shared),
            journal: Full { room: false, last: 0 },
            inbox,
            receipts,
            publisher,
            publishing: Arc::default(),
            cut: Cut::OnDemand,
            last_cut: Instant::now(),
            records: writer::Writer::resume(Vec::new()),
            closed: false,
        };

        let (first, mut refused) = taken(&shared, &bytes);
        writer.gather(Some(ToJournal::Records(vec![first])));
        writer.commit();
        assert_eq!(refused.try_recv().unwrap(), Answer::Unavailable);
        assert_eq!(shared.health(), Health::JournalFails);
        assert!(settled.try_recv().is_err(), "nothing to sign");
        assert!(writer.cut() && batches.try_recv().is_err(), "nothing to publish");

        writer.journal.room = true;
        let (again, _answer) = taken(&shared, &bytes);
        writer.gather(Some(ToJournal::Records(vec![again])));
        writer.commit();
        assert_eq!(shared.health(), Health::Well);
        assert_eq!(settled.try_recv().unwrap().len(), 1);

        let (done, _published) = mpsc::channel();
        writer.gather(Some(ToJournal::Close(done)));
        let late = sealed_as(&writer.shared.definition, &key, 2);
        let (late, mut refused) = taken(&shared, &late);
        writer.gather(Some(ToJournal::Records(vec![late])));
        assert_eq!(refused.try_recv().unwrap(), Answer::Unavailable, "no record after the last checkpoint");
        writer.gather(Some(ToJournal::Reopen));
        assert!(matches!(batches.try_recv(), Ok(ToPublisher::Batch(..))));
        assert!(matches!(batches.try_recv(), Ok(ToPublisher::Everything(Some(_)))));
        let (again, _answer) = taken(&shared, &sealed_as(&writer.shared.definition, &key, 2));
        writer.gather(Some(ToJournal::Records(vec![again])));
        writer.commit();

        writer.journal.room = false;
        assert!(!writer.cut() && batches.try_recv().is_err(), "a batch whose end is not durable is not published");
        writer.journal.room = true;
        assert!(writer.cut() && batches.try_recv().is_ok());
    }
}
