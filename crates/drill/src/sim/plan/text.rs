//! How a plan's words are written and read: `name field=value …`, each field in its place.

use tallyproof_record::{ContestNo, StationNo};

use super::super::country::Variant;
use super::super::disk::Misread;
use super::super::relay::Conduct;
use super::super::statement::Matter;

/// The words of a line that are still to be read.
pub(super) struct Fields<'a>(std::str::SplitAsciiWhitespace<'a>);

impl<'a> Fields<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.split_ascii_whitespace())
    }

    pub(super) fn name(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    pub(super) fn take<T: Field>(&mut self, name: &str) -> Option<T> {
        T::read(self.0.next()?.strip_prefix(name)?.strip_prefix('=')?)
    }

    pub(super) fn end(mut self) -> bool {
        self.0.next().is_none()
    }
}

/// A value that stands in a plan.
pub(super) trait Field: Sized {
    fn word(&self) -> String;
    fn read(word: &str) -> Option<Self>;
}

macro_rules! numbers {
    ($($kind:ty),*) => {
        $(impl Field for $kind {
            fn word(&self) -> String {
                self.to_string()
            }

            fn read(word: &str) -> Option<Self> {
                word.parse().ok()
            }
        })*
    };
}

numbers!(bool, i64, u32, u64, usize);

impl Field for StationNo {
    fn word(&self) -> String {
        self.0.to_string()
    }

    fn read(word: &str) -> Option<Self> {
        // Zero is no station.
        word.parse().ok().filter(|no| *no > 0).map(Self)
    }
}

impl Field for ContestNo {
    fn word(&self) -> String {
        self.0.to_string()
    }

    fn read(word: &str) -> Option<Self> {
        word.parse().ok().filter(|no| *no > 0).map(Self)
    }
}

/// Values that are one of a list stand there by their names.
macro_rules! names {
    ($($kind:ty),*) => {
        $(impl Field for $kind {
            fn word(&self) -> String {
                format!("{self:?}")
            }

            fn read(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.word() == word)
            }
        })*
    };
}

names!(Conduct, Matter, Misread, Variant);
