"""Verifies the log of a bundle with tlog-scales, a C2SP client that this project did not write: the log's signature, the
cosignatures of the witnesses in log/policy, every entry, every hash tile, the root, sampled inclusion and consistency proofs, and
the log proofs in proofs/, if there are any. Then again with one bit flipped, for every tile, and for many bits of checkpoint and
proofs: each time it has to fail.

Usage: python3 verify.py BUNDLE...      exit 0 if all of it holds
"""

import logging
import pathlib
import random
import sys

from tlog_scales import tiles, utils
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey, VkeySet
from tlog_scales.tlog import Checkpoint, InclusionProof

SAMPLES = 20
HEADER = "c2sp.org/tlog-proof@v1\nindex "


class Files:
    """The files of a bundle, of which one bit may be read as its opposite. It is a backend of tlog-scales, too."""

    def __init__(self, root, flipped=None, bit=0):
        self.root, self.flipped, self.bit = root, flipped, bit

    def read(self, path):
        data = bytearray((self.root / path).read_bytes())
        if path == self.flipped:
            data[self.bit // 8] ^= 1 << self.bit % 8
        return bytes(data)

    def get(self, *path):
        path = "/".join(["log", *path])
        return self.read(path) if (self.root / path).is_file() else None


def witnesses(policy):
    lines = [line.split() for line in policy.splitlines()]
    return [Vkey.from_string(words[2]) for words in lines if words[:1] == ["witness"]]


def check_checkpoint(files, text):
    """The checkpoint, if every signature is of a known key and holds."""
    checkpoint = Checkpoint.from_text(text)
    assert checkpoint.serialize() == text, "not in its one form"
    own = Vkey.from_string(files.read("log/vkeys").decode().splitlines()[0])
    checkpoint.verify(own)
    assert own.name == checkpoint.origin and own.sig_type == 1, "the log's key"
    known = VkeySet(own, *witnesses(files.read("log/policy").decode()))
    valid = known.verify(checkpoint.signatures, checkpoint)
    assert len(valid) == len(checkpoint.signatures), "a signature does not hold, or is of no known key"
    return checkpoint


def tile_paths(size):
    """Every tile that a log of this size has."""
    level = 0
    while tiles.level_entries(size, level):
        full, partial = tiles.level_tiles(size, level)
        for number, width in [(number, 0) for number in range(full)] + [(full, partial)] * (partial > 0):
            for kind in (level, -1) if level == 0 else (level,):
                yield "/".join(["log", *tiles.tile_path(kind, number, width)])
        level += 1


def node(left, right):
    return utils.sha256(b"\x01" + left + right)


def check_tiles(files, reader, size):
    """The hash tiles are those that the entries give, hash by hash and level by level."""
    hashes = []
    for first in range(0, size, 256):
        path = tiles.tile_path(-1, first // 256, (size - first) % 256 if size - first < 256 else 0)
        assert sum(2 + len(reader.get_entry(index)) for index in range(first, min(first + 256, size))) == len(files.get(*path))
        hashes += [tiles.leaf_hash(reader.get_entry(index)) for index in range(first, min(first + 256, size))]
    level = 0
    while hashes:
        for number in range(0, len(hashes), 256):
            width = len(hashes) - number if len(hashes) - number < 256 else 0
            data = files.get(*tiles.tile_path(level, number // 256, width))
            assert data == b"".join(hashes[number:number + 256]), f"hash tile {number // 256} of level {level}"
        for _ in range(8):
            hashes = [node(*pair) for pair in zip(hashes[::2], hashes[1::2])]
        level += 1


def check_proofs(reader, checkpoint):
    assert reader.calculate_root_hash() == checkpoint.root_hash, "root"
    for step in range(SAMPLES):
        index = step * (checkpoint.size - 1) // (SAMPLES - 1)
        leaf = tiles.leaf_hash(reader.get_entry(index))
        reader.get_inclusion_proof(index, checkpoint.size).check(leaf, checkpoint.root_hash)
        old_root = reader.mth(0, index + 1)
        reader.get_consistency_proof(index + 1, checkpoint.size).check(old_root, checkpoint.root_hash)


def check_file_proof(files, path):
    """A tlog-proof of the entry beside it."""
    text = files.read(path).decode()
    head, _, note = text.partition("\n\n")
    index, *hashes = head.removeprefix(HEADER).split("\n")
    hashes = [utils.b64dec(line) for line in hashes]
    again = HEADER + "\n".join([str(int(index)), *map(utils.b64enc, hashes)])
    assert again == head, "not in its one form"
    checkpoint = check_checkpoint(files, note)
    leaf = tiles.leaf_hash(files.read(path.replace(".tlog-proof", ".entry")))
    InclusionProof(int(index), checkpoint.size, hashes).check(leaf, checkpoint.root_hash)


def proofs(root):
    return sorted(f"proofs/{path.name}" for path in root.glob("proofs/*.tlog-proof"))


def verify(files):
    checkpoint = check_checkpoint(files, files.read("log/checkpoint").decode())
    for path in proofs(files.root):
        check_file_proof(files, path)
    reader = TilesReader(files)
    reader.set_size(checkpoint.size)
    if checkpoint.size > 0:
        check_proofs(reader, checkpoint)
        check_tiles(files, reader, checkpoint.size)
    return checkpoint


def fails(root, path, bit):
    try:
        verify(Files(root, path, bit))
    except Exception:
        return True
    return False


def flip(root, checkpoint):
    """Verifies with one bit flipped, again and again; says how often."""
    numbers = random.Random(1)
    plan = [("log/checkpoint", 300)] + [(path, 1) for path in tile_paths(checkpoint.size)]
    for path in proofs(root):
        plan += [(path, 40), (path.replace(".tlog-proof", ".entry"), 10)]
    count = 0
    for path, times in plan:
        size = (root / path).stat().st_size
        for _ in range(times if size else 0):
            bit = numbers.randrange(8 * size)
            assert fails(root, path, bit), f"bit {bit} of {path} was flipped, and everything still verified"
            count += 1
    return count


def main():
    logging.disable(logging.WARNING)  # It warns of each flipped signature.
    for bundle in map(pathlib.Path, sys.argv[1:]):
        checkpoint = verify(Files(bundle))
        print(
            f"verified {checkpoint.size} entries and their tiles, {SAMPLES} proofs of each kind, {len(proofs(bundle))} proofs in files, "
            f"{len(checkpoint.signatures) - 1} cosignatures"
        )
        print(f"{flip(bundle, checkpoint)} times with one bit flipped: none verified")


if __name__ == "__main__":
    main()
