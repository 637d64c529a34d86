//! The bytes of statements.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decoder, Encoder, data::Tag};

use super::{
    Act, Bulletin, Correction, Endorsement, FORMAT, Holder, KeyChange, Kind, LaterStage, MAX_POLICY_LINES,
    MAX_REPLACED, MAX_SIGNATURES, Reason, Remark, Statement, StatementError, Verdict,
};
use crate::cbor::{EncodeError, Malformed, Map, decode_protected, encode, protected_header};
use crate::cose::{KeyId, decode_counts, decode_phase, phase_code};
use crate::definition::{
    ContestNo, DefinitionHash, Figure, StationKey, StationNo, is_id, is_policy_line, results::Figures,
};
use crate::tally::Stage;

const TAG_SIGN: u64 = 98;

/// Payload keys. Numbers are part of the format; never reuse one.
mod key {
    pub(super) const FORMAT: u8 = 1;
    pub(super) const ELECTION: u8 = 2;
    pub(super) const PHASE: u8 = 3;
    pub(super) const KIND: u8 = 4;
    pub(super) const MADE_AT: u8 = 5;
    pub(super) const STATION: u8 = 6;
    pub(super) const AGENT: u8 = 7;
    pub(super) const ENROL: u8 = 8;
    pub(super) const REVOKE: u8 = 9;
    pub(super) const RECORD: u8 = 10;
    pub(super) const REMARK: u8 = 11;
    pub(super) const CONTEST: u8 = 12;
    pub(super) const REPLACES: u8 = 13;
    pub(super) const STAGE: u8 = 14;
    pub(super) const REASON: u8 = 15;
    /// Absent where the poll is annulled.
    pub(super) const COUNTS: u8 = 16;
    /// The figures of `Figure::ALL` follow each other from here: 17 to 21.
    pub(super) const FIRST_FIGURE: u8 = 17;
    pub(super) const POLICY: u8 = 22;
    pub(super) const NUMBER: u8 = 23;
    pub(super) const TREE_SIZE: u8 = 24;
    pub(super) const ROOT: u8 = 25;
    pub(super) const TOTALS: u8 = 26;
    pub(super) const DOCUMENT: u8 = 27;
}

const COMMON_KEYS: u64 = 5;

type Writer<'w> = Encoder<&'w mut Vec<u8>>;

pub(super) fn encode_payload(statement: &Statement) -> Vec<u8> {
    encode(|e| {
        e.map(COMMON_KEYS + own_keys(&statement.act))?.u8(key::FORMAT)?.u8(FORMAT)?;
        e.u8(key::ELECTION)?.bytes(&statement.election.0)?;
        e.u8(key::PHASE)?.u8(phase_code(statement.phase))?;
        e.u8(key::KIND)?.u8(statement.kind().code())?.u8(key::MADE_AT)?.u64(statement.made_at)?;
        match &statement.act {
            Act::Key(change) => encode_key_change(e, change),
            Act::Endorsement(endorsement) => encode_endorsement(e, endorsement),
            Act::Correction(correction) => encode_correction(e, correction),
            Act::Bulletin(bulletin) => encode_bulletin(e, bulletin),
            Act::Policy(lines) => encode_policy(e, lines),
        }
    })
}

fn own_keys(act: &Act) -> u64 {
    match act {
        Act::Key(_) => 2,
        Act::Endorsement(endorsement) => 2 + u64::from(endorsement.remark.is_some()),
        Act::Correction(Correction { verdict: Verdict::Annulled, .. }) | Act::Bulletin(_) => 5,
        Act::Correction(Correction { verdict: Verdict::Figures(figures), .. }) => 6 + figures.stated.len() as u64,
        Act::Policy(_) => 1,
    }
}

fn encode_key_change(e: &mut Writer<'_>, change: &KeyChange) -> Result<(), EncodeError> {
    let (KeyChange::Enrol { holder, .. } | KeyChange::Revoke { holder, .. }) = change;
    match holder {
        Holder::Station(station) => e.u8(key::STATION)?.u32(station.0)?,
        Holder::Agent(id) => e.u8(key::AGENT)?.str(id)?,
    };
    match change {
        KeyChange::Enrol { key, .. } => e.u8(key::ENROL)?.bytes(key.as_bytes())?,
        KeyChange::Revoke { key, .. } => e.u8(key::REVOKE)?.bytes(&key.0)?,
    };
    Ok(())
}

fn encode_endorsement(e: &mut Writer<'_>, endorsement: &Endorsement) -> Result<(), EncodeError> {
    e.u8(key::STATION)?.u32(endorsement.station.0)?.u8(key::RECORD)?.bytes(&endorsement.record)?;
    if let Some(remark) = endorsement.remark {
        e.u8(key::REMARK)?.u8(remark.number())?;
    }
    Ok(())
}

fn encode_correction(e: &mut Writer<'_>, correction: &Correction) -> Result<(), EncodeError> {
    e.u8(key::STATION)?.u32(correction.station.0)?.u8(key::CONTEST)?.u16(correction.contest.0)?;
    e.u8(key::REPLACES)?.array(correction.replaces.len() as u64)?;
    for digest in &correction.replaces {
        e.bytes(digest)?;
    }
    e.u8(key::STAGE)?.u8(Stage::from(correction.stage).code())?.u8(key::REASON)?.u8(correction.reason.number())?;
    let Verdict::Figures(figures) = &correction.verdict else { return Ok(()) };
    e.u8(key::COUNTS)?.array(figures.counts.len() as u64)?;
    for &count in &figures.counts {
        e.u32(count)?;
    }
    for (key, figure) in (key::FIRST_FIGURE..).zip(Figure::ALL) {
        if let Some(&value) = figures.stated.get(&figure) {
            e.u8(key)?.u32(value)?;
        }
    }
    Ok(())
}

fn encode_bulletin(e: &mut Writer<'_>, bulletin: &Bulletin) -> Result<(), EncodeError> {
    e.u8(key::NUMBER)?.u32(bulletin.number)?.u8(key::TREE_SIZE)?.u64(bulletin.tree_size)?;
    e.u8(key::ROOT)?.bytes(&bulletin.root)?.u8(key::TOTALS)?.bytes(&bulletin.totals)?;
    e.u8(key::DOCUMENT)?.bytes(&bulletin.document)?;
    Ok(())
}

fn encode_policy(e: &mut Writer<'_>, lines: &[String]) -> Result<(), EncodeError> {
    e.u8(key::POLICY)?.array(lines.len() as u64)?;
    for line in lines {
        e.str(line)?;
    }
    Ok(())
}

pub(super) fn decode_payload(bytes: &[u8]) -> Result<Statement, StatementError> {
    let mut payload = Map::open(bytes)?;
    match payload.uint(key::FORMAT, "format")? {
        FORMAT => {}
        other => return Err(StatementError::Format(other)),
    }
    let election = DefinitionHash(payload.bytes(key::ELECTION, "election")?);
    let phase = decode_phase(&mut payload, key::PHASE)?;
    let kind = Kind::from_code(payload.uint(key::KIND, "kind")?).ok_or(Malformed("kind"))?;
    let made_at = payload.uint(key::MADE_AT, "made_at")?;
    let act = match kind {
        Kind::Key => Act::Key(decode_key_change(&mut payload)?),
        Kind::Endorsement => Act::Endorsement(decode_endorsement(&mut payload)?),
        Kind::Correction => Act::Correction(decode_correction(&mut payload)?),
        Kind::Bulletin => Act::Bulletin(decode_bulletin(&mut payload)?),
        Kind::Policy => Act::Policy(decode_policy(&mut payload)?),
    };
    payload.close()?;
    Ok(Statement { election, phase, made_at, act })
}

fn decode_key_change(payload: &mut Map<'_>) -> Result<KeyChange, StatementError> {
    let holder = if payload.next_is(key::AGENT) {
        let id = payload.text(key::AGENT, "agent")?;
        Holder::Agent(Some(id).filter(|id| is_id(id)).ok_or(Malformed("agent"))?.to_owned())
    } else {
        Holder::Station(StationNo(payload.uint(key::STATION, "station or agent")?))
    };
    if payload.next_is(key::REVOKE) {
        return Ok(KeyChange::Revoke { holder, key: KeyId(payload.bytes(key::REVOKE, "key to revoke")?) });
    }
    let key: [u8; 32] = payload.bytes(key::ENROL, "key to enrol or revoke")?;
    Ok(KeyChange::Enrol { holder, key: StationKey::try_from(key).map_err(|_| StatementError::UnusableKey)? })
}

fn decode_endorsement(payload: &mut Map<'_>) -> Result<Endorsement, Malformed> {
    let station = StationNo(payload.uint(key::STATION, "station")?);
    let record = payload.bytes(key::RECORD, "record")?;
    let remark = if payload.next_is(key::REMARK) {
        Some(Remark::from_number(payload.uint(key::REMARK, "remark")?).ok_or(Malformed("remark"))?)
    } else {
        None
    };
    Ok(Endorsement { station, record, remark })
}

fn decode_correction(payload: &mut Map<'_>) -> Result<Correction, Malformed> {
    let station = StationNo(payload.uint(key::STATION, "station")?);
    let contest = ContestNo(payload.uint(key::CONTEST, "contest")?);
    let len = payload.array(key::REPLACES, MAX_REPLACED, "replaces")?;
    let replaces: BTreeSet<_> = (0..len).map(|_| payload.item_bytes("replaces")).collect::<Result<_, _>>()?;
    let stage = payload.uint(key::STAGE, "stage")?;
    let stage =
        LaterStage::ALL.into_iter().find(|&later| Stage::from(later).code() == stage).ok_or(Malformed("stage"))?;
    let reason = Reason::from_number(payload.uint(key::REASON, "reason")?).ok_or(Malformed("reason"))?;
    let verdict =
        if payload.next_is(key::COUNTS) { Verdict::Figures(decode_figures(payload)?) } else { Verdict::Annulled };
    Ok(Correction { station, contest, replaces, stage, reason, verdict })
}

fn decode_figures(payload: &mut Map<'_>) -> Result<Figures, Malformed> {
    let counts = decode_counts(payload, key::COUNTS)?;
    let mut stated = BTreeMap::new();
    for (key, figure) in (key::FIRST_FIGURE..).zip(Figure::ALL) {
        if payload.next_is(key) {
            stated.insert(figure, payload.uint(key, figure.as_str())?);
        }
    }
    Ok(Figures { counts, stated })
}

fn decode_bulletin(payload: &mut Map<'_>) -> Result<Bulletin, Malformed> {
    Ok(Bulletin {
        number: payload.uint(key::NUMBER, "number")?,
        tree_size: payload.uint(key::TREE_SIZE, "tree size")?,
        root: payload.bytes(key::ROOT, "root")?,
        totals: payload.bytes(key::TOTALS, "totals")?,
        document: payload.bytes(key::DOCUMENT, "document")?,
    })
}

fn decode_policy(payload: &mut Map<'_>) -> Result<Vec<String>, Malformed> {
    let len = payload.array(key::POLICY, MAX_POLICY_LINES, "policy")?;
    let mut line = || {
        let line = payload.item_text("policy")?;
        if is_policy_line(line) { Ok(line.to_owned()) } else { Err(Malformed("policy line")) }
    };
    (0..len).map(|_| line()).collect()
}

type Signatures = BTreeMap<KeyId, [u8; 64]>;

pub(super) fn envelope(payload: &[u8], signatures: &Signatures) -> Vec<u8> {
    encode(|e| {
        e.tag(Tag::new(TAG_SIGN))?.array(4)?.bytes(&[])?.map(0)?.bytes(payload)?.array(signatures.len() as u64)?;
        for (&key, signature) in signatures {
            e.array(3)?.bytes(&protected_header(key))?.map(0)?.bytes(signature)?;
        }
        Ok(())
    })
}

/// The payload and the signatures. What the caller encodes again need not be looked at here.
pub(super) fn split_envelope(bytes: &[u8]) -> Result<(&[u8], Signatures), Malformed> {
    let malformed = |what| move |_| Malformed(what);
    let mut d = Decoder::new(bytes);
    if d.tag().map_err(malformed("tag 98"))? != Tag::new(TAG_SIGN) {
        return Err(Malformed("tag 98"));
    }
    if d.array().map_err(malformed("array of 4"))? != Some(4) {
        return Err(Malformed("array of 4"));
    }
    if !d.bytes().map_err(malformed("empty protected header"))?.is_empty() {
        return Err(Malformed("empty protected header"));
    }
    empty_header(&mut d)?;
    let payload = d.bytes().map_err(malformed("payload"))?;
    let len = d.array().ok().flatten().and_then(|len| usize::try_from(len).ok());
    let len = len.filter(|len| (1..=MAX_SIGNATURES).contains(len)).ok_or(Malformed("array of 1 to 64 signatures"))?;
    let mut signatures = Signatures::new();
    for _ in 0..len {
        let (key, signature) = decode_signature(&mut d)?;
        // The map sorts: another order would not survive the comparison, and neither would a repetition.
        signatures.insert(key, signature);
    }
    if d.position() != bytes.len() {
        return Err(Malformed("end of statement"));
    }
    Ok((payload, signatures))
}

fn decode_signature(d: &mut Decoder<'_>) -> Result<(KeyId, [u8; 64]), Malformed> {
    if d.array().ok().flatten() != Some(3) {
        return Err(Malformed("signature: array of 3"));
    }
    let key = decode_protected(d.bytes().map_err(|_| Malformed("protected header {1: -19, 4: kid}"))?)?;
    empty_header(d)?;
    let signature = d.bytes().ok().and_then(|s| s.try_into().ok()).ok_or(Malformed("signature"))?;
    Ok((key, signature))
}

fn empty_header(d: &mut Decoder<'_>) -> Result<(), Malformed> {
    let empty = d.map().ok().flatten() == Some(0);
    if empty { Ok(()) } else { Err(Malformed("empty unprotected header")) }
}

/// `Sig_structure` of RFC 9052 section 4.4 for one of several signers, with empty external data.
pub(super) fn signature_input(key: KeyId, payload: &[u8]) -> Vec<u8> {
    encode(|e| {
        e.array(5)?.str("Signature")?.bytes(&[])?.bytes(&protected_header(key))?.bytes(&[])?.bytes(payload)?;
        Ok(())
    })
}
