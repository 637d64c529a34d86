//! Altered copies of an input, the same in every run.

/// What decoders stumble over: ends of ranges, and bytes that formats give a meaning.
const EDGES: &[&[u8]] = &[
    b"\x00",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\n",
    b"\r\n",
    b"\n\n",
    b",",
    b"\"",
    b"18446744073709551615",
    b"18446744073709551616",
    b"4294967296",
    b"-1",
    b"\xe2\x80\x94 ",
    b"..",
    b"/",
];

/// A small generator (SplitMix64): good enough to choose places, and the same everywhere.
pub(crate) struct Mutator(u64);

impl Mutator {
    /// A generator for one corpus file.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to `end`, which it does not reach; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }

    /// `bytes` altered in one to three ways; `other` is what a splice takes from.
    pub(crate) fn altered(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut altered = bytes.to_vec();
        for _ in 0..=self.below(3) {
            self.alter(&mut altered, other);
        }
        altered
    }

    fn alter(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len());
        match self.below(6) {
            0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            2 => bytes.truncate(at),
            3 => {
                let end = at + self.below(bytes.len() - at + 1);
                bytes.drain(at..end);
            }
            4 => {
                let edge = EDGES[self.below(EDGES.len())];
                let end = (at + self.below(edge.len() + 1)).min(bytes.len());
                bytes.splice(at..end, edge.iter().copied());
            }
            _ => {
                let start = self.below(other.len());
                let end = start + self.below(other.len() - start + 1);
                bytes.splice(at..at, other[start..end].iter().copied());
            }
        }
    }
}
