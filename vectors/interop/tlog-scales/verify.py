"""Verifies the log of a bundle with tlog-scales, a C2SP client that this project did not write: the log's signature, the
cosignatures of the witnesses in log/policy, the root, and sampled inclusion and consistency proofs.

Usage: python3 verify.py BUNDLE...      exit 0 if all of it holds
"""

import dataclasses
import logging
import pathlib
import sys

from tlog_scales import tiles
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey, VkeySet

SAMPLES = 20


def witnesses(policy):
    lines = [line.split() for line in policy.splitlines()]
    return [Vkey.from_string(words[2]) for words in lines if words[:1] == ["witness"]]


def flipped(signature):
    payload = bytearray(signature.payload)
    payload[len(payload) // 2] ^= 1
    return dataclasses.replace(signature, payload=bytes(payload))


def check_signatures(log, checkpoint):
    """Every signature is of a known key and holds; with one bit flipped it does not."""
    own = Vkey.from_string((log / "vkeys").read_text().splitlines()[0])
    checkpoint.verify(own)
    assert own.name == checkpoint.origin and own.sig_type == 1, "the log's key"
    known = VkeySet(own, *witnesses((log / "policy").read_text()))
    valid = known.verify(checkpoint.signatures, checkpoint)
    assert len(valid) == len(checkpoint.signatures), "a signature does not hold, or is of no known key"
    assert not known.verify(map(flipped, checkpoint.signatures), checkpoint), "a flipped bit was not found"
    return len(valid) - 1


def check_proofs(reader, checkpoint):
    assert reader.calculate_root_hash() == checkpoint.root_hash, "root"
    for step in range(SAMPLES):
        index = step * (checkpoint.size - 1) // (SAMPLES - 1)
        leaf = tiles.leaf_hash(reader.get_entry(index))
        reader.get_inclusion_proof(index, checkpoint.size).check(leaf, checkpoint.root_hash)
        old_root = reader.mth(0, index + 1)
        reader.get_consistency_proof(index + 1, checkpoint.size).check(old_root, checkpoint.root_hash)


def main():
    logging.disable(logging.WARNING)  # It warns of each flipped signature.
    for bundle in sys.argv[1:]:
        log = pathlib.Path(bundle) / "log"
        reader = TilesReader(LocalBackend(log))
        checkpoint = reader.get_checkpoint()
        cosignatures = check_signatures(log, checkpoint)
        if checkpoint.size > 0:
            check_proofs(reader, checkpoint)
        print(f"verified {checkpoint.size} entries' root, {SAMPLES} proofs of each kind, {cosignatures} cosignatures")


if __name__ == "__main__":
    main()
