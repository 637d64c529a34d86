//! How votes become seats.

use std::{fmt, str::FromStr};

/// How votes become seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Divisors 1, 2, 3, … (Jefferson).
    DHondt,
    /// Divisors 1, 3, 5, … (Webster).
    SainteLague,
    /// Divisors 1.4, 3, 5, …
    ModifiedSainteLague,
    /// Largest remainder with the quota votes / seats, exact (Hamilton).
    Hare,
    /// Largest remainder with the quota ⌊votes / (seats + 1)⌋ + 1.
    Droop,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 5] = [Self::DHondt, Self::SainteLague, Self::ModifiedSainteLague, Self::Hare, Self::Droop];

    /// Its name on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DHondt => "dhondt",
            Self::SainteLague => "sainte-lague",
            Self::ModifiedSainteLague => "modified-sainte-lague",
            Self::Hare => "hare",
            Self::Droop => "droop",
        }
    }

    /// The divisor of a list's seat number `seat`, from 1, as a whole number, each method on its own scale; `None` for
    /// largest remainders, and for a seat number 0.
    pub fn divisor(self, seat: u64) -> Option<u64> {
        match self {
            _ if seat == 0 => None,
            Self::DHondt => Some(seat),
            Self::SainteLague => Some(2 * seat - 1),
            Self::ModifiedSainteLague if seat == 1 => Some(7),
            Self::ModifiedSainteLague => Some(5 * (2 * seat - 1)),
            Self::Hare | Self::Droop => None,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text names no method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such method; write dhondt, sainte-lague, modified-sainte-lague, hare or droop")]
pub struct UnknownMethod;

impl FromStr for Method {
    type Err = UnknownMethod;

    /// Knows the methods' other names too; `-`, `_`, spaces, apostrophes and accents do not matter.
    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let letters = text.chars().take(64).filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase);
        let name: String = letters.map(|c| if c == 'ë' { 'e' } else { c }).collect();
        match name.as_str() {
            "dhondt" | "jefferson" => Ok(Self::DHondt),
            "saintelague" | "webster" => Ok(Self::SainteLague),
            "modifiedsaintelague" => Ok(Self::ModifiedSainteLague),
            "hare" | "hamilton" | "largestremainder" => Ok(Self::Hare),
            "droop" => Ok(Self::Droop),
            _ => Err(UnknownMethod),
        }
    }
}
