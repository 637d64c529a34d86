//! The first two checks of the gate as a classic BPF program, so that the kernel makes them before a datagram takes room in the
//! socket's buffer or wakes anyone. Attaching it needs no privilege.
//!
//! The kernel shows a UDP socket's filter whole datagrams from their UDP header on: fragments have been put together by then,
//! and are met by the length alone. A filter that shall not see them is a matter for nftables (`docs/operate/under-attack.md`).

use tallyproof_record::frame::{HEADER_LEN, RECORD_START};

use super::MAX_DATAGRAM;

/// One instruction of classic BPF (Linux `struct sock_filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Instructions to skip if the comparison holds.
    pub jt: u8,
    /// Instructions to skip if it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// Length of the UDP header, which comes before the datagram's own bytes.
const UDP_HEADER: usize = 8;

/// `BPF_LD | BPF_W | BPF_LEN`: loads the length, the UDP header included.
const LOAD_LENGTH: u16 = 0x80;
/// `BPF_LD | BPF_W | BPF_ABS`: loads four bytes, big-endian; a datagram that has none there is dropped.
const LOAD_WORD: u16 = 0x20;
/// `BPF_JMP | BPF_JGE | BPF_K`.
const IF_AT_LEAST: u16 = 0x35;
/// `BPF_JMP | BPF_JGT | BPF_K`.
const IF_MORE: u16 = 0x25;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
const IF_EQUAL: u16 = 0x15;
/// `BPF_RET | BPF_K`: ends; keeps so many bytes of the datagram, of which 0 is none.
const KEEP: u16 = 0x06;

/// A program that keeps exactly the datagrams that [`super::check_form`] lets pass.
pub const fn program() -> [Instruction; 7] {
    [
        step(LOAD_LENGTH, 0, 0, 0),
        step(IF_AT_LEAST, 0, 4, offset(HEADER_LEN + 1)),
        step(IF_MORE, 3, 0, offset(MAX_DATAGRAM)),
        step(LOAD_WORD, 0, 0, offset(0)),
        step(IF_EQUAL, 0, 1, u32::from_be_bytes(RECORD_START)),
        step(KEEP, 0, 0, u32::MAX),
        step(KEEP, 0, 0, 0),
    ]
}

const fn step(code: u16, jt: u8, jf: u8, k: u32) -> Instruction {
    Instruction { code, jt, jf, k }
}

/// Where the kernel sees a byte of the datagram; a datagram's length fits 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "at most a datagram's length, and TryFrom is not const")]
const fn offset(of_datagram: usize) -> u32 {
    (UDP_HEADER + of_datagram) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gate::{check_form, vectors};

    /// What the kernel does with a program, as far as this one goes: how many bytes it keeps.
    fn run(program: &[Instruction], packet: &[u8]) -> u32 {
        let (mut accumulator, mut at) = (0_u32, 0_usize);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            let branch = |holds| 1 + usize::from(if holds { jt } else { jf });
            at += match code {
                LOAD_LENGTH => {
                    accumulator = u32::try_from(packet.len()).unwrap();
                    1
                }
                LOAD_WORD => {
                    let Some(word) = packet[k as usize..].first_chunk() else { return 0 };
                    accumulator = u32::from_be_bytes(*word);
                    1
                }
                IF_AT_LEAST => branch(accumulator >= k),
                IF_MORE => branch(accumulator > k),
                IF_EQUAL => branch(accumulator == k),
                KEEP => return k,
                other => panic!("no such instruction: {other:#x}"),
            };
        }
    }

    fn kept(datagram: &[u8]) -> bool {
        let packet = [&[0xa5; UDP_HEADER], datagram].concat();
        match run(&program(), &packet) {
            0 => false,
            bytes => {
                assert!(bytes as usize >= packet.len(), "a datagram is kept whole");
                true
            }
        }
    }

    #[test]
    fn the_filter_keeps_what_the_committed_datagrams_say() {
        let mut kept_any = [false; 2];
        for case in vectors::cases() {
            let datagram = case.datagram();
            assert_eq!(kept(&datagram), check_form(&datagram).is_ok(), "{}", case.name);
            kept_any[usize::from(kept(&datagram))] = true;
        }
        assert_eq!(kept_any, [true; 2], "both outcomes were seen");
    }

    #[test]
    fn the_filter_knows_both_ends_of_the_length() {
        for length in [0, 1, HEADER_LEN, HEADER_LEN + 1, MAX_DATAGRAM, MAX_DATAGRAM + 1, 65_507] {
            let mut datagram = vec![0; length];
            let start = length.min(RECORD_START.len());
            datagram[..start].copy_from_slice(&RECORD_START[..start]);
            assert_eq!(kept(&datagram), (HEADER_LEN + 1..=MAX_DATAGRAM).contains(&length), "{length}");
            assert_eq!(kept(&datagram), check_form(&datagram).is_ok(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn the_filter_is_the_check_of_the_form(
            mut start in proptest::sample::select(vec![RECORD_START, *b"TP\x01\x02", *b"TP\x02\x01", *b"QP\x01\x01"]),
            (at, change) in (0..4_usize, 0..3_u8),
            rest in proptest::collection::vec(any::<u8>(), 0..120),
        ) {
            start[at] ^= change;
            let datagram = [&start, rest.as_slice()].concat();
            prop_assert_eq!(kept(&datagram), check_form(&datagram).is_ok());
            prop_assert_eq!(kept(&rest), check_form(&rest).is_ok());
        }
    }
}
