"""Verifies the records of a bundle's log with cwt (RFC 9052), a library that this project did not write: each is a COSE_Sign1 that the
key of its station in election/stations.csv signed. With a bit flipped it is refused.

Usage: python3 verify.py BUNDLE...      exit 0 if all of it holds
"""

import csv
import hashlib
import pathlib
import random
import sys

import cbor2
from cwt import COSE, COSEKey

RECORD = 2
STATION = 5  # Key of the station's number in the payload (docs/spec/record.md).
FLIPS = 60


def records(log):
    """The sealed records, in the order of the log."""
    size = int((log / "checkpoint").read_text().splitlines()[1])
    for number in range(-(-size // 256)):
        width = min(256, size - 256 * number)
        groups = [f"{number // 1000 ** power % 1000:03}" for power in range(3) if number >= 1000**power or power == 0]
        path = "/".join(f"x{group}" for group in groups[:0:-1]) + "/" * (len(groups) > 1) + groups[0]
        data = (log / "tile/entries" / (path + f".p/{width}" * (width < 256))).read_bytes()
        for _ in range(width):
            length = int.from_bytes(data[:2])
            entry, data = data[2:2 + length], data[2 + length:]
            if entry[0] == RECORD:
                yield entry[1:]
        assert not data, "bytes follow the last entry of a bundle"


def keys(register):
    """The stations' keys by number, as COSE keys."""
    with register.open(newline="") as file:
        public = [bytes.fromhex(row["key"]) for row in csv.DictReader(file)]
    named = lambda key: {1: 1, 2: hashlib.sha256(key).digest()[:8], 3: -19, 4: [2], -1: 6, -2: key}
    return {number: COSEKey.new(named(key)) for number, key in enumerate(public, 1)}


def verify(record, keys):
    """The payload, if the key of the station that it names signed the record; raises otherwise."""
    station = cbor2.loads(cbor2.loads(record).value[2])[STATION]
    return COSE.new(verify_kid=True).decode(record, keys[station])


def refused(record, keys):
    try:
        verify(record, keys)
    except Exception:
        return True
    return False


def main():
    for bundle in map(pathlib.Path, sys.argv[1:]):
        register = bundle / "election/stations.csv"
        if not register.exists():
            print(f"{bundle} holds no election")
            continue
        stations, count, numbers, flips = keys(register), 0, random.Random(1), 0
        for record in records(bundle / "log"):
            verify(record, stations)
            count += 1
            for bit in numbers.sample(range(8 * len(record)), FLIPS if count <= 100 else 1):
                altered = bytearray(record)
                altered[bit // 8] ^= 1 << bit % 8
                assert refused(bytes(altered), stations), f"bit {bit} of record {count} was flipped, and it was accepted"
                flips += 1
        assert count > 0, f"{bundle} holds no record"
        print(f"verified {count} records; {flips} copies with one bit flipped: none accepted")


if __name__ == "__main__":
    main()
