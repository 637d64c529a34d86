//! The C2SP transparency log over opaque leaves: Merkle tree, tiles, signed notes, checkpoints, cosignatures and proofs.
//!
//! Pure: bytes in, bytes out. It holds no socket, file, clock or randomness, and does not know what an entry means.
//!
//! A log's way through the modules: an entry's [`merkle::leaf_hash`] is appended to a [`tree::Tree`]; the tree gives the contents
//! of the tiles that [`tile::tiles_for`] names, and the root that a [`checkpoint::Checkpoint`] signs as a [`note`]. A reader goes
//! the other way: it opens the checkpoint with a [`note::VerifierKey`], decodes entry tiles, and recomputes the root; one who wants a
//! single entry reads a few tiles with a [`reader::TileReader`], and keeps a [`proof::LogProof`] or a [`compact::CompactReceipt`]. A witness is
//! asked with [`witness::AddCheckpoint`] and adds its [`cosignature`]; whose cosignatures are enough is a [`policy::Policy`]. Where a log
//! signs two checkpoints that exclude each other, [`fork::ForkProof`] shows it to everybody.
//!
//! Sources: RFC 6962 and RFC 9162 (hashing and proofs); C2SP `tlog-tiles` v0.1.0, `signed-note` v1.0.0, `tlog-checkpoint` v1.0.0,
//! `tlog-cosignature` v1.1.0-rc.1, `tlog-witness` v1.0.0, `tlog-proof` and `tlog-policy`.

pub mod checkpoint;
pub mod compact;
pub mod cosignature;
pub mod fork;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod proof;
pub mod reader;
pub mod tile;
pub mod tree;
pub mod witness;

mod encoding;
mod ranges;
