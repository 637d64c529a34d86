//! A flood like one from outside: datagrams from many sources, put into the kernel where a network card would, so that a bench
//! pays for their way through the whole of IP and UDP and next to nothing for their making.
//!
//! An XDP program writes every datagram anew and passes it on (`BPF_PROG_RUN` in live frame mode, Linux 5.18 and later; see
//! Documentation/bpf/bpf_prog_run.rst of the kernel). It goes to the loopback device of the calling thread's network namespace, and
//! [`Injector`] can only be made, and used, in one that [`in_private_network`] has just made: nothing leaves it.
//!
//! Needs `CAP_SYS_ADMIN`, `CAP_NET_ADMIN` and `CAP_BPF`; without them there is an error and no flood.
#![expect(unsafe_code, reason = "no crate of ours wraps bpf(2), and none without unsafe can")]

use std::ffi::CStr;
use std::fs;
use std::io;
use std::marker::PhantomData;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::panic::resume_unwind;
use std::thread;

use nix::sched::{CloneFlags, unshare};

/// Proof that the current thread is in a network namespace of its own, where there is nothing but a loopback device. It cannot be
/// taken to another thread.
#[derive(Debug)]
pub struct PrivateNetwork {
    bound_to_its_thread: PhantomData<*const ()>,
}

/// Runs `work` on a new thread in a new network namespace; threads that it starts are in there too.
pub fn in_private_network<T: Send>(work: impl FnOnce(&PrivateNetwork) -> T + Send) -> io::Result<T> {
    let in_there = || Ok(work(&PrivateNetwork::enter()?));
    thread::scope(|scope| scope.spawn(in_there).join().unwrap_or_else(|panic| resume_unwind(panic)))
}

impl PrivateNetwork {
    fn enter() -> io::Result<Self> {
        let namespace = || fs::read_link("/proc/thread-self/ns/net");
        let outside = namespace()?;
        unshare(CloneFlags::CLONE_NEWNET)?;
        if namespace()? == outside {
            return Err(io::Error::other("the kernel has made no new network namespace"));
        }
        start_loopback()?;
        // Injected datagrams come in by a device, as those of others do; by default the kernel takes such from 127.0.0.0/8 for forged.
        for (setting, value) in [("route_localnet", "1"), ("accept_local", "1"), ("rp_filter", "0")] {
            for device in ["all", "lo"] {
                fs::write(format!("/proc/sys/net/ipv4/conf/{device}/{setting}"), value)?;
            }
        }
        Ok(Self { bound_to_its_thread: PhantomData })
    }
}

/// A new namespace has its loopback device switched off.
fn start_loopback() -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let mut name = [0; libc::IFNAMSIZ];
    for (to, from) in name.iter_mut().zip(c"lo".to_bytes()) {
        *to = from.cast_signed();
    }
    let up = libc::c_short::try_from(libc::IFF_UP).map_err(io::Error::other)?;
    let request = libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: up } };
    // SAFETY: the socket is open, and SIOCSIFFLAGS reads one `ifreq`, which `request` is.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// What is injected: the same datagram to a port of 127.0.0.1, each from another address (127.1.0.0/16) and port.
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a> {
    /// The port it is sent to.
    pub port: u16,
    /// What it holds: 48 bytes at least, and no more than [`LONGEST_PAYLOAD`].
    pub payload: &'a [u8],
    /// The u32 at offset 4 is drawn from 1 to 2^this (at most 31).
    pub station_bits: u32,
}

/// What fits into one page of the kernel beside what it keeps there for itself.
pub const LONGEST_PAYLOAD: usize = 1_400;
/// Shorter ones have no room for what is drawn.
const SHORTEST_PAYLOAD: usize = 48;

/// Offsets in the frame; what is drawn lies in the payload where the header of `tallyproof_record::frame` has it.
const IP: i16 = 14;
const IP_IDENTIFICATION: i16 = IP + 4;
const IP_SOURCE_LOW: i16 = IP + 14;
const UDP: i16 = IP + 20;
const PAYLOAD: i16 = UDP + 8;
const STATION: i16 = PAYLOAD + 4;
const TAG: i16 = PAYLOAD + 40;

/// A program loaded into the kernel, and the frame that it varies. The tag (offset 40, 8 bytes) is random.
#[derive(Debug)]
pub struct Injector<'network> {
    program: OwnedFd,
    frame: Vec<u8>,
    network: PhantomData<&'network PrivateNetwork>,
}

impl<'network> Injector<'network> {
    /// Loads the program that makes datagrams of a pattern.
    pub fn new(_: &'network PrivateNetwork, pattern: Pattern<'_>) -> io::Result<Self> {
        let frame = frame(pattern)?;
        let program = load(&program(pattern.station_bits)?)?;
        Ok(Self { program, frame, network: PhantomData })
    }

    /// Injects this many datagrams; returns when each of them has reached its socket's buffer or been dropped before. All of that is
    /// processor time of the calling thread. Each takes a page (4 KiB) of the socket's buffer, where one of a network card takes less.
    pub fn inject(&self, count: u32) -> io::Result<()> {
        let mut attr = RunAttr {
            program: self.program.as_raw_fd().cast_unsigned(),
            data_size_in: u32::try_from(self.frame.len()).map_err(io::Error::other)?,
            data_in: self.frame.as_ptr() as u64,
            repeat: count,
            flags: LIVE_FRAMES,
            ..RunAttr::default()
        };
        // SAFETY: BPF_PROG_RUN reads `data_size_in` bytes at `data_in`, which are the frame's; the other pointers are null.
        unsafe { bpf(PROG_RUN, &mut attr) }?;
        Ok(())
    }
}

fn frame(pattern: Pattern<'_>) -> io::Result<Vec<u8>> {
    let Pattern { port, payload, .. } = pattern;
    if !(SHORTEST_PAYLOAD..=LONGEST_PAYLOAD).contains(&payload.len()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a payload to inject has 48 to 1400 bytes"));
    }
    let length = |headers: usize| u16::try_from(payload.len().saturating_add(headers)).map_err(io::Error::other);
    // IPv4, 20 bytes of header, no fragment, 64 hops left, UDP. The identification is the inverse of the low half of the source, and
    // stays it, so that the checksum is the same for all sources.
    let mut ip = [0x45, 0, 0, 0, 0xff, 0xff, 0, 0, 64, 17, 0, 0, 127, 1, 0, 0, 127, 0, 0, 1];
    ip[2..4].copy_from_slice(&length(28)?.to_be_bytes());
    let checksum = internet_checksum(&ip);
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
    // Ethernet: the loopback device has the address 0; then the type IPv4.
    let ethernet = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0];
    // Source port (drawn), port, length, and no checksum, which IPv4 allows.
    let udp = [[0; 2], port.to_be_bytes(), length(8)?.to_be_bytes(), [0; 2]];
    Ok([&ethernet, &ip[..], udp.as_flattened(), payload].concat())
}

/// RFC 1071, over an even number of bytes.
fn internet_checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks_exact(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let sum = words.fold(0_u32, u32::wrapping_add);
    let folded = (sum & 0xffff).wrapping_add(sum >> 16);
    !(folded.wrapping_add(folded >> 16) as u16)
}

/// One eBPF instruction, `struct bpf_insn`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Instruction {
    code: u8,
    /// Destination in the low half, source in the high half.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const fn op(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction { code, registers: from << 4 | to, offset, immediate }
}

// Opcodes of RFC 9669, and the registers' roles.
const LOAD_U32: u8 = 0x61;
const STORE_U16: u8 = 0x6b;
const STORE_U32: u8 = 0x63;
const MOVE: u8 = 0xbf;
const MOVE_CONSTANT: u8 = 0xb7;
const ADD_CONSTANT: u8 = 0x07;
const AND_CONSTANT: u8 = 0x57;
const XOR_CONSTANT: u8 = 0xa7;
const SHIFT_RIGHT: u8 = 0x77;
const TO_BIG_ENDIAN: u8 = 0xdc;
const JUMP_IF_GREATER: u8 = 0x2d;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
const DRAWN: u8 = 0;
const SCRATCH: u8 = 1;
const END: u8 = 2;
const DATA: u8 = 6;
/// `bpf_get_prandom_u32`, a helper's number.
const RANDOM: i32 = 7;
const XDP_DROP: i32 = 1;
const XDP_PASS: i32 = 2;

fn program(station_bits: u32) -> io::Result<[Instruction; 25]> {
    let mask = 1_i32.checked_shl(station_bits).and_then(|count| count.checked_sub(1)).filter(|mask| *mask >= 0);
    let mask = mask.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "at most 2^30 stations"))?;
    Ok([
        // r6 = ctx->data, r2 = ctx->data_end; the verifier wants to see that all that is written lies before the end.
        op(LOAD_U32, DATA, 1, 0, 0),
        op(LOAD_U32, END, 1, 4, 0),
        op(MOVE, SCRATCH, DATA, 0, 0),
        op(ADD_CONSTANT, SCRATCH, 0, 0, i32::from(TAG) + 8),
        op(JUMP_IF_GREATER, SCRATCH, END, 18, 0),
        // Source address and port from one draw; the identification goes against the address.
        op(CALL, 0, 0, 0, RANDOM),
        op(STORE_U16, DATA, DRAWN, IP_SOURCE_LOW, 0),
        op(MOVE, SCRATCH, DRAWN, 0, 0),
        op(XOR_CONSTANT, SCRATCH, 0, 0, 0xffff),
        op(STORE_U16, DATA, SCRATCH, IP_IDENTIFICATION, 0),
        op(SHIFT_RIGHT, DRAWN, 0, 0, 16),
        op(STORE_U16, DATA, DRAWN, UDP, 0),
        op(CALL, 0, 0, 0, RANDOM),
        op(AND_CONSTANT, DRAWN, 0, 0, mask),
        op(ADD_CONSTANT, DRAWN, 0, 0, 1),
        op(TO_BIG_ENDIAN, DRAWN, 0, 0, 32),
        op(STORE_U32, DATA, DRAWN, STATION, 0),
        op(CALL, 0, 0, 0, RANDOM),
        op(STORE_U32, DATA, DRAWN, TAG, 0),
        op(CALL, 0, 0, 0, RANDOM),
        op(STORE_U32, DATA, DRAWN, TAG + 4, 0),
        op(MOVE_CONSTANT, 0, 0, 0, XDP_PASS),
        op(EXIT, 0, 0, 0, 0),
        op(MOVE_CONSTANT, 0, 0, 0, XDP_DROP),
        op(EXIT, 0, 0, 0, 0),
    ])
}

/// The head of `union bpf_attr` for `BPF_PROG_LOAD`; the kernel takes what is not there for 0.
#[derive(Debug, Default)]
#[repr(C)]
struct LoadAttr {
    kind: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
}

/// `union bpf_attr` for `BPF_PROG_RUN`, without gaps: the kernel refuses bytes that are not 0 where it expects nothing.
#[derive(Debug, Default)]
#[repr(C)]
struct RunAttr {
    program: u32,
    returned: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    context_size_in: u32,
    context_size_out: u32,
    context_in: u64,
    context_out: u64,
    flags: u32,
    processor: u32,
    batch_size: u32,
    nothing: u32,
}

const PROG_LOAD: libc::c_int = 5;
const PROG_RUN: libc::c_int = 10;
const PROGRAM_KIND_XDP: u32 = 6;
/// `BPF_F_TEST_XDP_LIVE_FRAMES`.
const LIVE_FRAMES: u32 = 2;
/// The helper that is called asks for no particular one.
const LICENSE: &CStr = c"Apache-2.0 OR MIT";

fn load(program: &[Instruction]) -> io::Result<OwnedFd> {
    let mut attr = LoadAttr {
        kind: PROGRAM_KIND_XDP,
        instruction_count: u32::try_from(program.len()).map_err(io::Error::other)?,
        instructions: program.as_ptr() as u64,
        license: LICENSE.as_ptr() as u64,
    };
    // SAFETY: BPF_PROG_LOAD reads `instruction_count` instructions, which are the slice, and a terminated string.
    let descriptor = unsafe { bpf(PROG_LOAD, &mut attr) }?;
    // SAFETY: a successful BPF_PROG_LOAD returns a new descriptor, which nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// bpf(2).
///
/// # Safety
/// `attr` is laid out as the command wants it, and every address in it is good for what the command reads or writes there.
unsafe fn bpf<A>(command: libc::c_int, attr: &mut A) -> io::Result<libc::c_int> {
    // SAFETY: the size goes with the pointer; the rest is the caller's promise.
    let returned = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<A>()) };
    if returned < 0 {
        Err(io::Error::last_os_error())
    } else {
        libc::c_int::try_from(returned).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::super::enlarge_receive_buffer;
    use super::*;

    #[test]
    fn the_checksum_is_that_of_rfc_1071() {
        assert_eq!(internet_checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn a_payload_without_room_for_what_is_drawn_is_refused() {
        for length in [0, 47, LONGEST_PAYLOAD + 1] {
            assert!(frame(Pattern { port: 1, payload: &vec![0; length], station_bits: 0 }).is_err(), "{length}");
        }
        assert!(program(31).is_err() && program(u32::MAX).is_err() && program(30).is_ok());
    }

    fn flood(network: &PrivateNetwork) -> io::Result<Vec<(SocketAddr, Vec<u8>)>> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        // Each counts for the page that it lies in.
        enlarge_receive_buffer(&socket, 1 << 20)?;
        socket.set_read_timeout(Some(Duration::from_millis(500)))?;
        let mut payload = [7; 100];
        payload[4..8].fill(0);
        let pattern = Pattern { port: socket.local_addr()?.port(), payload: &payload, station_bits: 3 };
        Injector::new(network, pattern)?.inject(100)?;
        let mut buffer = [0; 200];
        let received =
            std::iter::from_fn(|| socket.recv_from(&mut buffer).ok().map(|(length, from)| (length, from, buffer)));
        Ok(received.map(|(length, from, buffer)| (from, buffer[..length].to_vec())).collect())
    }

    #[test]
    fn every_injected_datagram_arrives_from_another_source_with_another_tag() {
        let received = match in_private_network(flood).and_then(|flooded| flooded) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return eprintln!("not tried: {error}"),
            flooded => flooded.unwrap(),
        };
        assert_eq!(received.len(), 100);
        let distinct =
            |of: fn(&(SocketAddr, Vec<u8>)) -> Vec<u8>| received.iter().map(of).collect::<BTreeSet<_>>().len();
        assert!(distinct(|(from, _)| from.to_string().into_bytes()) > 90);
        assert!(distinct(|(_, bytes)| bytes[40..48].to_vec()) > 90);
        for (from, bytes) in &received {
            assert!(from.ip().to_string().starts_with("127.1."), "{from}");
            let station = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            assert!((1..=8).contains(&station), "{station}");
            assert!([&bytes[..4], &bytes[8..40], &bytes[48..]].concat().iter().all(|byte| *byte == 7));
        }
    }

    #[test]
    fn a_private_network_does_not_reach_this_one() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let target = listener.local_addr().unwrap();
        let sent = in_private_network(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.send_to(b"x", target));
        match sent {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return eprintln!("not tried: {error}"),
            sent => assert_eq!(sent.unwrap().unwrap(), 1),
        }
        assert!(listener.recv(&mut [0; 1]).is_err());
    }
}
