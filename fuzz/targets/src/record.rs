//! The record's formats: sealed record, datagram, receipt, log entry, election package.

use tallyproof_record::SealedRecord;
use tallyproof_record::cose::{self, KeyId};
use tallyproof_record::definition::package::{self as packages, Files};
use tallyproof_record::definition::results;
use tallyproof_record::entry::Entry;
use tallyproof_record::frame::{self, Frame, HEADER_LEN};
use tallyproof_record::proven::{self as proofs, Proven};
use tallyproof_record::receipt::Receipt;

use crate::keys;

/// A sealed record: what opens is, but for key id and signature, what our own key seals for the same tally; and where
/// the signature holds for our key, it is the very same record.
pub fn record(data: &[u8]) {
    let Ok(opened) = cose::open(data) else { return };
    let key = keys::station(opened.tally.station);
    let ours = cose::seal(&opened.tally, &key).into_bytes();
    let id = KeyId::of(key.verifying_key().as_bytes());
    assert_eq!(unsigned(&ours, id), unsigned(data, opened.key_id), "a second encoding of one tally was accepted");
    if opened.key_id == id && opened.verify(&key.verifying_key()).is_ok() {
        assert_eq!(ours, data, "a signature holds that the key did not make");
    }
}

/// A record without the two parts that depend on who signs: the key id, near the front, and the signature, at the end.
fn unsigned(record: &[u8], id: KeyId) -> (Vec<u8>, Vec<u8>) {
    let place = record.windows(id.0.len()).position(|window| window == id.0).unwrap_or(record.len());
    let (head, rest) = record.split_at(place);
    let body = rest.get(id.0.len()..rest.len().saturating_sub(64)).unwrap_or_default();
    (head.to_vec(), body.to_vec())
}

/// A datagram: what authenticates and names its body is what the key holder sends; and any body we send arrives.
pub fn datagram(data: &[u8]) {
    if let Ok(frame) = Frame::parse(data) {
        let header = frame.header;
        let key = keys::mac(header.epoch, header.station);
        let ours = frame::encode(header.station, header.epoch, header.attempt, frame.body, &key);
        assert_eq!(ours.get(HEADER_LEN..), data.get(HEADER_LEN..), "the body is not the rest of the datagram");
        if frame.authenticate(&key).is_ok() && frame.check_digest().is_ok() {
            assert_eq!(ours, data, "a second spelling of one authentic datagram was accepted");
        }
    }
    let station = tallyproof_record::StationNo(1);
    let key = keys::mac(0, station);
    let sent = frame::encode(station, 0, 1, data, &key);
    let arrived = Frame::parse(&sent);
    assert_eq!(arrived.is_ok(), !data.is_empty(), "only an empty body does not arrive");
    if let Ok(frame) = arrived {
        assert_eq!(
            frame.authenticate(&key).and(frame.check_digest().map(drop)),
            Ok(()),
            "our own datagram was refused"
        );
    }
}

/// A receipt: one spelling; where the signature holds, it is what the log's key signs.
pub fn receipt(data: &[u8]) {
    let key = keys::receipts();
    let Ok(receipt) = Receipt::peek(data) else { return };
    let ours = receipt.sign(&keys::ELECTION, &key);
    assert_eq!(ours.get(..44), data.get(..44), "a second spelling of one receipt was accepted");
    if let Ok(verified) = Receipt::verify(data, &keys::ELECTION, &key.verifying_key()) {
        assert_eq!(verified, receipt, "what was verified is not what was read");
        assert_eq!(ours.as_slice(), data, "a signature holds that the key did not make");
    }
}

/// A log entry: one spelling.
pub fn entry(data: &[u8]) {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode(), data, "a second spelling of one entry was accepted");
    }
}

/// An election package, as file name, NUL, text, NUL and so on: what parses has a canonical form that parses as
/// itself, nothing but that form is taken as canonical, and results survive rendering.
pub fn package(data: &[u8]) {
    let files = package_files(data);
    let Ok(election) = packages::parse(&files) else {
        assert!(packages::parse_canonical(&files).is_err(), "a package was taken as canonical that does not parse");
        return;
    };
    let canonical = election.canonical();
    let rendered: Files = canonical.files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
    let is_canonical = rendered.iter().all(|(name, bytes)| files.get(name) == Some(bytes));
    assert_eq!(packages::parse_canonical(&files).is_ok(), is_canonical, "only the canonical form is canonical");
    assert!(packages::parse_canonical(&rendered).is_ok(), "the canonical form is refused as canonical");
    let again = packages::parse(&rendered).map(|again| again.canonical());
    assert_eq!(again, Ok(canonical), "the canonical form has another canonical form");
    let Some(Ok(figures)) = files.get("results.csv").map(|bytes| results::parse(bytes, &election)) else { return };
    let rendered = results::render(&figures, &election);
    assert_eq!(results::parse(&rendered, &election), Ok(figures), "rendering changed the results");
}

/// The files of a package as the target [`package`] takes them apart.
pub fn package_files(data: &[u8]) -> Files {
    let parts: Vec<&[u8]> = data.split(|&byte| byte == 0).collect();
    let (pairs, _) = parts.as_chunks();
    pairs.iter().map(|[name, text]| (String::from_utf8_lossy(name).into(), text.to_vec())).collect()
}

/// A record with its proof: where the record is one, both parts put together again are the bytes they came from.
pub fn proven(data: &[u8]) {
    let Ok(Proven { record, receipt }) = Proven::parse(data) else { return };
    let Ok(record) = SealedRecord::from_bytes(record.to_vec()) else { return };
    assert_eq!(proofs::encode(&record, receipt), data, "a second form of one record with its proof");
}
