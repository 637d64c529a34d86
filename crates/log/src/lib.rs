//! The C2SP transparency log: Merkle tree, tiles, signed notes, checkpoints and proofs over opaque leaves (pure)
