"""Checks the golden vectors with decoders that this project did not write: cbor2 (RFC 8949) and cwt (RFC 9052), and the gate's
verdicts with a second gate, written from docs/spec/record.md alone; cosignatures from the text of C2SP tlog-cosignature.

Usage: python3 check.py [FOLDER]      exit 0 if every vector holds
"""

import base64
import hashlib
import json
import pathlib
import re
import sys

import cbor2
import cwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cwt import COSE, COSEKey

FIGURES = {"blank": 9, "null": 10, "voters": 11, "registered": 12, "total": 13}
PHASES = {"drill": 0, "official": 1}


def payload_of(tally):
    """The payload map that docs/spec/record.md gives for a tally."""
    fields = {
        1: 1, 2: bytes.fromhex(tally["election"]), 3: PHASES[tally["phase"]], 4: tally["stage"],
        5: tally["station"], 6: tally["contest"], 7: tally["sealed_at"], 8: tally["counts"],
    }
    fields |= {FIGURES[name]: value for name, value in tally["figures"].items()}
    if tally["images"]:
        fields[14] = [bytes.fromhex(image) for image in tally["images"]]
    return fields


def acceptable(sealed, public, key_id):
    """True where an independent reader of the specification accepts the bytes."""
    try:
        message = cbor2.loads(sealed)
        if not isinstance(message, cbor2.CBORTag) or message.tag != 18 or cbor2.dumps(message, canonical=True) != sealed:
            return False
        protected, unprotected, payload, signature = message.value
        if cbor2.loads(protected) != {1: -19, 4: key_id} or unprotected:
            return False
        fields = cbor2.loads(payload)
        if cbor2.dumps(fields, canonical=True) != payload or fields[1] != 1 or fields[3] not in (0, 1):
            return False
        if min(fields[8]) < 0 or not set(range(1, 9)) <= set(fields):
            return False
        public.verify(signature, cbor2.dumps(["Signature1", protected, b"", payload]))
        return True
    except (cbor2.CBORDecodeError, InvalidSignature, EOFError, KeyError, TypeError, ValueError):
        return False


def verify_with_cwt(sealed, public_bytes, key_id):
    """The payload, as the cwt package reads and verifies it (it raises otherwise)."""
    key = COSEKey.new({1: 1, 2: key_id, 3: -19, 4: [2], -1: 6, -2: public_bytes})
    return COSE.new(verify_kid=True).decode(sealed, key)


def check_records(folder):
    vectors = json.loads((folder / "records.json").read_text())
    public_bytes, key_id = bytes.fromhex(vectors["public_key"]), bytes.fromhex(vectors["key_id"])
    public = Ed25519PublicKey.from_public_bytes(public_bytes)
    assert hashlib.sha256(public_bytes).digest()[:8] == key_id, "key id"
    for vector in vectors["valid"]:
        sealed = bytes.fromhex(vector["cose"])
        assert hashlib.sha256(sealed).hexdigest() == vector["sha256"], vector["name"]
        assert acceptable(sealed, public, key_id), vector["name"]
        payload = cbor2.dumps(payload_of(vector["tally"]), canonical=True)
        assert cbor2.loads(sealed).value[2] == payload, vector["name"]
        assert verify_with_cwt(sealed, public_bytes, key_id) == payload, vector["name"]
    for vector in vectors["invalid"]:
        assert not acceptable(bytes.fromhex(vector["cose"]), public, key_id), vector["name"]
        assert vector["error"] != "accepted", vector["name"]
    return len(vectors["valid"]) + len(vectors["invalid"])


def statement_payload(payload):
    """Whether the payload map is one that docs/spec/statement.md gives."""
    fields = cbor2.loads(payload)
    if cbor2.dumps(fields, canonical=True) != payload or fields[1] != 1 or fields[3] not in (0, 1):
        return False
    own = set(fields) - {1, 2, 3, 4, 5}
    figures = {key for key in own if 17 <= key <= 21}
    if fields[4] == 1:
        return own in ({6, 8}, {7, 8}, {6, 9}, {7, 9}) and not (8 in own and small_order(fields[8]))
    if fields[4] == 3:
        return own | {11} == {6, 10, 11} and fields.get(11, 1) in range(1, 4)
    if fields[4] == 4:
        whole = own - figures == {6, 12, 13, 14, 15, 16} or own == {6, 12, 13, 14, 15}
        replaced = fields[13]
        ordered = replaced == sorted(set(replaced)) and len(replaced) <= 1024
        return whole and ordered and fields[14] in (1, 2, 3) and fields[15] in range(1, 11)
    if fields[4] == 5:
        return own == {23, 24, 25, 26, 27} and len(fields[25]) == len(fields[26]) == len(fields[27]) == 32
    return fields[4] == 6 and own == {22} and all(re.match("(witness|group|quorum)( |$)", line) for line in fields[22])


def small_order(key):
    """Whether eight times the point is the neutral one (RFC 8032 section 5.1.4)."""
    prime = 2**255 - 19
    d = -121665 * pow(121666, -1, prime) % prime
    y, odd = int.from_bytes(key, "little") % 2**255 % prime, key[31] >> 7
    square = (y * y - 1) * pow(d * y * y + 1, -1, prime) % prime
    x = pow(square, (prime + 3) // 8, prime)
    x = x if x * x % prime == square else x * pow(2, (prime - 1) // 4, prime) % prime
    x = x if x % 2 == odd else prime - x
    for _ in range(3):
        product = d * x * x * y * y
        x, y = 2 * x * y * pow(1 + product, -1, prime) % prime, (y * y + x * x) * pow(1 - product, -1, prime) % prime
    return (x, y) == (0, 1)


def signers_of(signed, keys):
    """Payload and key ids of a statement that an independent reader of the specification accepts, each verified by cwt; or None."""
    try:
        message = cbor2.loads(signed)
        if not isinstance(message, cbor2.CBORTag) or message.tag != 98 or cbor2.dumps(message, canonical=True) != signed:
            return None
        protected, unprotected, payload, signatures = message.value
        if protected != b"" or unprotected or not 1 <= len(signatures) <= 64 or not statement_payload(payload):
            return None
        signers = []
        for header, more, signature in signatures:
            key_id = cbor2.loads(header)[4]
            if header != cbor2.dumps({1: -19, 4: key_id}, canonical=True) or more or len(signature) != 64:
                return None
            # cwt is content with any one signature that holds, so it is given one key and one signature at a time.
            single = cbor2.dumps(cbor2.CBORTag(98, [protected, {}, payload, [[header, {}, signature]]]))
            key = COSEKey.new({1: 1, 2: key_id, 3: -19, 4: [2], -1: 6, -2: bytes.fromhex(keys[key_id.hex()])})
            if COSE.new().decode(single, key) != payload:
                return None
            signers.append(key_id)
        return (payload, signers) if signers == sorted(set(signers)) else None
    except (cbor2.CBORDecodeError, cwt.VerifyError, EOFError, KeyError, TypeError, ValueError):
        return None


def check_statements(folder):
    vectors = json.loads((folder / "statements.json").read_text())
    for key_id, public in vectors["keys"].items():
        assert hashlib.sha256(bytes.fromhex(public)).digest()[:8].hex() == key_id, "key id"
    for vector in vectors["valid"]:
        found = signers_of(bytes.fromhex(vector["cose"]), vectors["keys"])
        assert found, vector["name"]
        payload, signers = found
        assert hashlib.sha256(payload).hexdigest() == vector["id"], vector["name"]
        assert [signer.hex() for signer in signers] == vector["signers"], vector["name"]
        fields = cbor2.loads(payload)
        assert (fields[4], fields[5]) == (vector["kind"], vectors["made_at"]), vector["name"]
        assert fields[2].hex() == vectors["election"], vector["name"]
    for vector in vectors["invalid"]:
        assert signers_of(bytes.fromhex(vector["cose"]), vectors["keys"]) is None, vector["name"]
        assert vector["error"] != "accepted", vector["name"]
    return len(vectors["valid"]) + len(vectors["invalid"])


def check_receipts(folder):
    vectors = json.loads((folder / "receipts.json").read_text())
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(vectors["public_key"]))
    context = b"tallyproof/receipt/v1\0" + bytes.fromhex(vectors["election"])
    for case in vectors["cases"]:
        receipt = bytes.fromhex(case["receipt"])
        try:
            assert len(receipt) == 108 and receipt[:4] == b"TP\x01\x02" and receipt[10:12] == b"\0\0"
            public.verify(receipt[44:], context + receipt[:44])
            outcome = True
        except (AssertionError, InvalidSignature):
            outcome = False
        assert outcome == (case["outcome"] == "accepted"), case["name"]
    return len(vectors["cases"])


def siphash_2_4(key, data):
    """SipHash-2-4 (Aumasson and Bernstein, 2012), little-endian."""
    mask = 2**64 - 1
    low, high = (int.from_bytes(key[at:at + 8], "little") for at in (0, 8))
    v = [low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D, low ^ 0x6C7967656E657261, high ^ 0x7465646279746573]

    def mix(a, b, turn):
        v[a] = (v[a] + v[b]) & mask
        v[b] = ((v[b] << turn | v[b] >> (64 - turn)) & mask) ^ v[a]

    def swap(a):
        v[a] = (v[a] << 32 | v[a] >> 32) & mask

    def rounds(count):
        for _ in range(count):
            mix(0, 1, 13), swap(0), mix(2, 3, 16), mix(0, 3, 21), mix(2, 1, 17), swap(2)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at:at + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return (v[0] ^ v[1] ^ v[2] ^ v[3]).to_bytes(8, "little")


class Gate:
    """The gate of docs/spec/record.md."""

    def __init__(self, vectors):
        self.master, self.definition = bytes.fromhex(vectors["master"]), bytes.fromhex(vectors["definition"])
        self.epoch, self.stations, self.burst = vectors["epoch"], vectors["stations"], 16 + 2 * vectors["contests"]
        self.near, self.ahead, self.spent_until = {}, {}, {}

    def key(self, station):
        info = b"tallyproof/mac/v1\0" + self.epoch.to_bytes(4, "big") + station.to_bytes(4, "big")
        return HKDF(hashes.SHA256(), 16, self.definition, info).derive(self.master)

    def verdict(self, now_millis, datagram):
        if len(datagram) > 48 + 20_732:
            return "long"
        if len(datagram) < 49:
            return "short"
        if datagram[:4] != b"TP\x01\x01":
            return "magic"
        station, epoch, attempt = (int.from_bytes(datagram[at:at + 4], "big") for at in (4, 8, 12))
        if not 1 <= station <= self.stations:
            return "station"
        if epoch != self.epoch:
            return "epoch"
        if siphash_2_4(self.key(station), datagram[:40]) != datagram[40:48]:
            return "tag"
        now = (now_millis - 1_577_836_800_000) // 250
        if abs(attempt - now) > 4 * 3600:
            return "window"
        memory = self.near if attempt <= now + 240 else self.ahead
        if attempt <= memory.get(station, 0):
            return "replay"
        spent = max(now, self.spent_until.get(station, 0))
        if spent >= now + self.burst:
            return "quota"
        if hashlib.sha256(datagram[48:]).digest()[:24] != datagram[16:40]:
            return "digest"
        memory[station], self.spent_until[station] = attempt, spent + 1
        return "admit"


def check_gate(folder):
    vectors = json.loads((folder / "gate.json").read_text())
    gate = Gate(vectors)
    for case in vectors["cases"]:
        datagram = bytes.fromhex(case["datagram"]) + bytes(case["zeros"])
        verdict = gate.verdict(vectors["now_millis"] + case["after_ms"], datagram)
        assert verdict == case["verdict"], f"{case['name']}: {verdict}"
    return len(vectors["cases"])


def verifier_key(text):
    """Name, key ID, type and public key of a C2SP verifier key."""
    name, key_id, encoded = text.split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_id, text
    form = MLDSA44PublicKey if key[0] == 6 else Ed25519PublicKey
    return name, bytes.fromhex(key_id), key[0], form.from_public_bytes(key[1:])


def signed_message(name, kind, text, signature):
    """The signature proper, and what is signed; raises where the bytes are not of the one form."""
    if kind == 1:
        return signature, text.encode()
    time = int.from_bytes(signature[:8], "big")
    if len(signature) != 8 + {4: 64, 6: 2420}[kind] or time >= 2**63:
        raise InvalidSignature
    if kind == 4:
        return signature[8:], f"cosignature/v1\ntime {time}\n{text}".encode()
    origin, size, root = text.split("\n")[:3]
    names = [len(each.encode()).to_bytes(1, "big") + each.encode() for each in (name, origin)]
    tree = bytes(8) + int(size).to_bytes(8, "big") + base64.b64decode(root)
    return signature[8:], b"subtree/v1\n\0" + names[0] + signature[:8] + names[1] + tree


def check_cosignatures(folder):
    vectors = json.loads((folder / "cosignatures.json").read_text())
    keys = [verifier_key(text) for text in [vectors["log"], *vectors["witnesses"]]]
    assert [key[2] for key in keys] == [1, 4, 6], "types of the keys"
    for case in vectors["cases"]:
        text, _, lines = case["note"].rpartition("\n\n")
        text, signers, outcome = text + "\n", set(), None
        for line in lines.splitlines():
            dash, name, encoded = line.split(" ")
            assert dash == "\u2014", case["name"]
            signature = base64.b64decode(encoded, validate=True)
            known = [key for key in keys if key[:2] == (name, signature[:4])]
            for _, _, kind, public in known:
                try:
                    public.verify(*signed_message(name, kind, text, signature[4:]))
                    signers.add(kind)
                except InvalidSignature:
                    outcome = "bad signature"
        assert 1 in signers, case["name"]
        outcome = outcome or ("cosigned" if signers & {4, 6} else "not cosigned")
        assert outcome == case["outcome"], f"{case['name']}: {outcome}"
    return len(vectors["cases"])


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    checks = [check_records, check_statements, check_receipts, check_gate, check_cosignatures]
    checked = sum(check(folder) for check in checks)
    print(f"{checked} vectors hold")


if __name__ == "__main__":
    main()
