//! The figures of one station in one contest, and their payload encoding (`docs/spec/record.md`).

use crate::definition::{ContestNo, DefinitionHash, Figure, Phase, StationNo};

/// What kind of counting a record comes from. Later stages replace earlier ones only by a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The count at the polling station on election night.
    Count,
    /// The official canvass.
    Canvass,
    /// A ruling of a court or electoral body.
    Ruling,
    /// A poll held again.
    Rerun,
}

impl Stage {
    /// Number used in the payload.
    pub fn code(self) -> u8 {
        match self {
            Self::Count => 0,
            Self::Canvass => 1,
            Self::Ruling => 2,
            Self::Rerun => 3,
        }
    }

    /// The stage with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Count, Self::Canvass, Self::Ruling, Self::Rerun].into_iter().find(|stage| stage.code() == code)
    }
}

/// The tally record: one station, one contest. `None` means *not stated*, never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The election, by the hash of its definition.
    pub election: DefinitionHash,
    /// Repeats the definition's phase, so that a drill record reads as one on its own.
    pub phase: Phase,
    /// Which counting this comes from.
    pub stage: Stage,
    /// Station number in the register.
    pub station: StationNo,
    /// Contest number in the definition.
    pub contest: ContestNo,
    /// When the officer sealed the record, seconds since 1970-01-01T00:00:00Z by the station's own clock.
    pub sealed_at: u64,
    /// One count per ballot line, in ballot order.
    pub counts: Vec<u32>,
    /// Blank ballots.
    pub blank: Option<u32>,
    /// Null (invalid) ballots.
    pub null: Option<u32>,
    /// Voters admitted.
    pub voters: Option<u32>,
    /// Voters on the roll, as the station states them.
    pub registered: Option<u32>,
    /// Votes cast in total, as the station states them.
    pub total: Option<u32>,
    /// SHA-256 of images of the paper record, at most [`Tally::MAX_IMAGES`].
    pub images: Vec<[u8; 32]>,
}

impl Tally {
    /// Most image hashes a record can carry.
    pub const MAX_IMAGES: usize = 2;
    /// Most ballot lines a record can carry; bounds memory for foreign bytes.
    pub const MAX_LINES: usize = 4096;

    /// The first count of a station in a contest: its ballot lines, and nothing else stated.
    pub fn new(
        election: DefinitionHash,
        phase: Phase,
        station: StationNo,
        contest: ContestNo,
        sealed_at: u64,
        counts: Vec<u32>,
    ) -> Self {
        Self {
            election,
            phase,
            stage: Stage::Count,
            station,
            contest,
            sealed_at,
            counts,
            blank: None,
            null: None,
            voters: None,
            registered: None,
            total: None,
            images: Vec::new(),
        }
    }

    /// A stated figure.
    pub fn figure(&self, figure: Figure) -> Option<u32> {
        match figure {
            Figure::Blank => self.blank,
            Figure::Null => self.null,
            Figure::Voters => self.voters,
            Figure::Registered => self.registered,
            Figure::Total => self.total,
        }
    }

    /// States or withdraws a figure.
    pub fn set_figure(&mut self, figure: Figure, value: Option<u32>) {
        *match figure {
            Figure::Blank => &mut self.blank,
            Figure::Null => &mut self.null,
            Figure::Voters => &mut self.voters,
            Figure::Registered => &mut self.registered,
            Figure::Total => &mut self.total,
        } = value;
    }

    /// Sum over the ballot lines.
    pub fn valid(&self) -> u64 {
        self.counts.iter().copied().map(u64::from).sum()
    }

    /// Ballots that the figures account for: valid + blank + null, where stated.
    pub fn cast(&self) -> u64 {
        self.valid() + u64::from(self.blank.unwrap_or(0)) + u64::from(self.null.unwrap_or(0))
    }
}
