// Checks the golden compact receipts from docs/spec/receipt.md alone, with WebCrypto and no other code of this project.
// Usage: node compact.mjs [compact.json]      exit 0 if every vector holds
import { readFileSync } from "node:fs";

const vectors = JSON.parse(readFileSync(process.argv[2] ?? new URL("compact.json", import.meta.url)));
const { subtle } = globalThis.crypto;
const text = (string) => new TextEncoder().encode(string);
const hex = (string) => Uint8Array.from(string.match(/../g) ?? [], (digits) => parseInt(digits, 16));
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const concat = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const sha256 = async (...parts) => new Uint8Array(await subtle.digest("SHA-256", concat(...parts)));

function must(holds, why) {
  if (!holds) throw new Error(why);
}

/** Name, key ID, type and public key of a C2SP verifier key. */
async function verifierKey(line) {
  const [name, id, ...encoded] = line.split("+");
  const key = Uint8Array.from(atob(encoded.join("+")), (character) => character.charCodeAt(0));
  const digest = (await sha256(text(`${name}\n`), key)).slice(0, 4);
  must(Buffer.from(digest).toString("hex") === id && key.length === 33, `not an Ed25519 key: ${line}`);
  return { name, id: digest, type: key[0], key: await subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, true, ["verify"]) };
}

const signed = (key, signature, message) => subtle.verify({ name: "Ed25519" }, key.key, signature, text(message));

/** Reads fields one after the other; throws where bytes are missing. */
class Fields {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  take(length) {
    must(this.at + length <= this.bytes.length, "cut short");
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }
  number(length) {
    return this.take(length).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  }
  /** Unsigned LEB128, no longer than it has to be. */
  variable() {
    for (let [number, shift] = [0n, 0n]; ; shift += 7n) {
      const byte = this.number(1);
      number |= (byte & 127n) << shift;
      must(number < 1n << 64n && (byte !== 0n || shift === 0n), "not the number's one form");
      if (byte < 128n) return number;
    }
  }
}

const bits = (number) => (number === 0n ? 0 : number.toString(2).length);
const ones = (number) => number.toString(2).replaceAll("0", "").length;

/** The root that the path leads to (RFC 9162 section 2.1.3.2). */
async function rootOf(leaf, index, size, path) {
  let [node, last, hash] = [index, size - 1n, leaf];
  for (const sibling of path) {
    if (node & 1n || node === last) {
      hash = await sha256([1], sibling, hash);
      while (!(node & 1n) && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = await sha256([1], hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  must(last === 0n, "wrong path");
  return hash;
}

function receiptOf(bytes) {
  const fields = new Fields(bytes);
  must(fields.number(1) === 1n, "version");
  const [index, size] = [fields.variable(), fields.variable()];
  must(index < size, "index");
  const inner = bits(index ^ (size - 1n));
  const path = Array.from({ length: inner + ones(index >> BigInt(inner)) }, () => fields.take(32));
  const log = fields.take(64);
  const count = Number(fields.number(1));
  const cosignatures = Array.from({ length: count }, () => {
    return { witness: Number(fields.number(1)), time: fields.variable(), signature: fields.take(64) };
  });
  must(fields.at === bytes.length, "bytes follow");
  must(cosignatures.every(({ witness }, at) => at === 0 || witness > cosignatures[at - 1].witness), "order");
  return { index, size, path, log, cosignatures };
}

function timeBytes(time) {
  return Uint8Array.from({ length: 8 }, (_, at) => Number((time >> BigInt(56 - 8 * at)) & 255n));
}

const line = (key, ...signature) => `\u2014 ${key.name} ${base64(concat(key.id, ...signature))}\n`;

async function verify(datagram, log, policy) {
  const fields = new Fields(datagram);
  must(fields.number(4) === 0x54500103n, "not a record with its proof");
  const record = fields.take(Number(fields.number(2)));
  const receipt = receiptOf(fields.bytes.slice(fields.at));
  const root = await rootOf(await sha256([0], [2], record), receipt.index, receipt.size, receipt.path);
  const checkpoint = `${log.name}\n${receipt.size}\n${base64(root)}\n`;
  must(await signed(log, receipt.log, checkpoint), "the log's signature");
  let [note, cosigners] = [`${checkpoint}\n${line(log, receipt.log)}`, []];
  for (const { witness, time, signature } of receipt.cosignatures) {
    const { name, key } = policy.witnesses[witness] ?? {};
    must(key?.type === 4 && time < 1n << 63n, "no such witness");
    must(await signed(key, signature, `cosignature/v1\ntime ${time}\n${checkpoint}`), `the cosignature of ${name}`);
    note += line(key, timeBytes(time), signature);
    cosigners.push(name);
  }
  const hashes = receipt.path.map((hash) => `${base64(hash)}\n`).join("");
  return {
    cosigners,
    index: Number(receipt.index),
    proof: `c2sp.org/tlog-proof@v1\nindex ${receipt.index}\n${hashes}\n${note}`,
    quorum_met: policy.met(cosigners),
    root: base64(root),
    tree_size: Number(receipt.size),
  };
}

/** The witnesses in their order, and the vector's own quorum: a group of k. */
async function policyOf(lines) {
  const words = lines.split("\n").map((each) => each.split(" "));
  const named = words.filter(([first]) => first === "witness");
  const witnesses = await Promise.all(named.map(async ([, name, key]) => ({ name, key: await verifierKey(key) })));
  const group = words.find(([first, name]) => first === "group" && lines.includes(`quorum ${name}\n`));
  return { witnesses, met: (cosigners) => cosigners.filter((name) => group.slice(3).includes(name)).length >= Number(group[2]) };
}

const log = await verifierKey(vectors.log);
const policy = await policyOf(vectors.policy);
must(log.type === 1 && vectors.cases.length > 10, "the vectors");
for (const { name, datagram, outcome } of vectors.cases) {
  const found = await verify(hex(datagram), log, policy).catch(() => null);
  const asExpected = "refused" in outcome ? found === null : JSON.stringify(found) === JSON.stringify(outcome);
  must(asExpected, `${name}: ${JSON.stringify(found)}`);
}
console.log(`${vectors.cases.length} compact receipts: those that hold hold, the others do not`);
