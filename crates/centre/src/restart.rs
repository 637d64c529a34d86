//! From the journal back to the log, and the checks that a restarted centre has to pass before it signs anything.

use tallyproof_record::definition::Committed;
use thiserror::Error;

use crate::{
    intake::{Authentic, Intake, Refusal},
    journal::Cut,
    promise::{self, Broken, Promise},
    sequencer::{Growth, SequenceError, Sequencer},
};

/// Why a centre does not start again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestartError {
    /// What was signed last is not known.
    #[error(
        "{0} is missing, although the journal holds records: without it a rolled-back journal \
         would go unseen. If you are certain that the journal is the newest, copy the last published log/checkpoint there"
    )]
    Forgotten(String),
    /// A record of the journal is none.
    #[error("journal record {row}: {refusal}")]
    Record {
        /// Which.
        row: u64,
        /// Why.
        refusal: Refusal,
    },
    /// A batch does not fit.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// The journal leads elsewhere than to what was signed.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// What a centre finds when it starts.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Number of the journal's last record.
    pub last: u64,
    /// The published checkpoint.
    pub published: Option<Promise>,
    /// The checkpoint signed last.
    pub signed: Option<Promise>,
    /// Where that one ought to be, for the message.
    pub place: String,
    /// What others hold: witnesses, a frozen end.
    pub held: Vec<Promise>,
}

/// A batch of the journal, in its place in the log again.
#[derive(Debug)]
pub struct Batch {
    /// Its tiles.
    pub growth: Growth,
    /// Whether a crash may have kept the tiles from being published.
    pub unpublished: bool,
    /// Its records, in the order of the log.
    pub records: Vec<Authentic>,
}

/// The log while the journal is read. Give it every step of the replay, then [`Rebuild::finish`].
#[derive(Debug)]
pub struct Rebuild {
    sequencer: Sequencer,
    promises: Vec<Promise>,
    published: u64,
    batch: Vec<Authentic>,
    rows: u64,
}

impl Rebuild {
    /// Begins with entry 0, whose tiles are returned where they may not be published.
    pub fn begin(definition: &Committed, memory: Memory) -> Result<(Self, Option<Growth>), RestartError> {
        let Memory { last, published, signed, place, held } = memory;
        if signed.is_none() && last > 0 {
            return Err(RestartError::Forgotten(place));
        }
        let size = published.as_ref().map_or(0, |promise| promise.checkpoint.size);
        let promises = published.into_iter().chain(signed).chain(held).collect();
        let (sequencer, first) = Sequencer::begin(definition)?;
        let rebuild = Self { sequencer, promises, published: size, batch: Vec::new(), rows: 0 };
        Ok((rebuild, (size == 0).then_some(first)))
    }

    /// Takes the next record, as intake judged it. `hold` is told of it: whoever knows what the centre holds has to hear of this one,
    /// or it is written again when its station sends it again.
    ///
    /// Statements are noted in the journal's order, for the records after them.
    pub fn record(
        &mut self,
        intake: &Intake,
        judged: Result<Authentic, Refusal>,
        hold: impl FnOnce(&Authentic),
    ) -> Result<(), RestartError> {
        self.rows = self.rows.saturating_add(1);
        let row = self.rows;
        let record = judged.map_err(|refusal| RestartError::Record { row, refusal })?;
        intake.note(&record);
        hold(&record);
        self.batch.push(record);
        Ok(())
    }

    /// Takes the end of a batch.
    pub fn cut(&mut self, cut: Cut) -> Result<Batch, RestartError> {
        let mut records = std::mem::take(&mut self.batch);
        let growth = self.sequencer.cut(cut, &mut records)?;
        // As soon as the tree can tell: nothing of a foreign history is to be published.
        let reached: Vec<_> = self.promises.iter().filter(|p| p.checkpoint.size <= growth.size).cloned().collect();
        promise::check(&reached, self.sequencer.tree())?;
        let unpublished = growth.size > self.published;
        Ok(Batch { growth, unpublished, records })
    }

    /// The log, which may be signed now, and the records that no cut covers.
    pub fn finish(self) -> Result<(Sequencer, Vec<Authentic>), RestartError> {
        promise::check(&self.promises, self.sequencer.tree())?;
        Ok((self.sequencer, self.batch))
    }
}
