//! Deterministic CBOR (RFC 8949 section 4.2) as records and statements use it: maps with ascending small integer keys.
//!
//! A reader of foreign bytes decodes, encodes what it read again, and compares: so it need not know every way in which an encoding
//! can differ.

use minicbor::{Decoder, Encoder};

use crate::cose::KeyId;

/// Ed25519 of RFC 9864.
pub(crate) const ALG_ED25519: i64 = -19;

/// What is missing or not of the expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

pub(crate) type EncodeError = minicbor::encode::Error<std::convert::Infallible>;

pub(crate) fn encode(build: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Result<(), EncodeError>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(320);
    let written = build(&mut Encoder::new(&mut bytes));
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    bytes
}

/// The protected header of every signature: `{1: -19, 4: kid}`.
pub(crate) fn protected_header(KeyId(kid): KeyId) -> Vec<u8> {
    encode(|e| {
        e.map(2)?.u8(1)?.i64(ALG_ED25519)?.u8(4)?.bytes(&kid)?;
        Ok(())
    })
}

pub(crate) fn decode_protected(bytes: &[u8]) -> Result<KeyId, Malformed> {
    let read = || {
        let mut d = Decoder::new(bytes);
        let shape =
            d.map().ok()? == Some(2) && d.i64().ok()? == 1 && d.i64().ok()? == ALG_ED25519 && d.i64().ok()? == 4;
        let kid = d.bytes().ok()?.try_into().ok()?;
        (shape && d.position() == bytes.len()).then_some(KeyId(kid))
    };
    read().ok_or(Malformed("protected header {1: -19, 4: kid}"))
}

/// Reads a payload's keys in their one order.
pub(crate) struct Map<'b> {
    decoder: Decoder<'b>,
    remaining: u64,
    len: usize,
}

impl<'b> Map<'b> {
    pub(crate) fn open(bytes: &'b [u8]) -> Result<Self, Malformed> {
        let mut decoder = Decoder::new(bytes);
        let remaining = decoder.map().ok().flatten().ok_or(Malformed("payload map"))?;
        Ok(Self { decoder, remaining, len: bytes.len() })
    }

    /// Nothing may follow.
    pub(crate) fn close(self) -> Result<(), Malformed> {
        if self.remaining == 0 && self.decoder.position() == self.len {
            Ok(())
        } else {
            Err(Malformed("end of payload"))
        }
    }

    pub(crate) fn next_is(&mut self, key: u8) -> bool {
        self.remaining > 0 && self.decoder.probe().u8().is_ok_and(|next| next == key)
    }

    fn expect(&mut self, key: u8, what: &'static str) -> Result<(), Malformed> {
        if !self.next_is(key) {
            return Err(Malformed(what));
        }
        self.remaining -= 1;
        self.decoder.u8().map(drop).map_err(|_| Malformed(what))
    }

    pub(crate) fn uint<T: TryFrom<u64>>(&mut self, key: u8, what: &'static str) -> Result<T, Malformed> {
        self.expect(key, what)?;
        let value = self.decoder.u64().map_err(|_| Malformed(what))?;
        T::try_from(value).map_err(|_| Malformed(what))
    }

    pub(crate) fn bytes<const N: usize>(&mut self, key: u8, what: &'static str) -> Result<[u8; N], Malformed> {
        self.expect(key, what)?;
        self.item_bytes(what)
    }

    pub(crate) fn text(&mut self, key: u8, what: &'static str) -> Result<&'b str, Malformed> {
        self.expect(key, what)?;
        self.item_text(what)
    }

    /// An array's length, bounded before anything is allocated for it.
    pub(crate) fn array(&mut self, key: u8, max: usize, what: &'static str) -> Result<usize, Malformed> {
        self.expect(key, what)?;
        let len = self.decoder.array().ok().flatten().and_then(|len| usize::try_from(len).ok());
        len.filter(|&len| len <= max).ok_or(Malformed(what))
    }

    pub(crate) fn item_u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.decoder.u32().map_err(|_| Malformed(what))
    }

    pub(crate) fn item_bytes<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        self.decoder.bytes().ok().and_then(|bytes: &'b [u8]| bytes.try_into().ok()).ok_or(Malformed(what))
    }

    pub(crate) fn item_text(&mut self, what: &'static str) -> Result<&'b str, Malformed> {
        self.decoder.str().map_err(|_| Malformed(what))
    }
}
