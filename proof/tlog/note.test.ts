import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import {
  cosignatureBody,
  cosignatureNoteKey,
  cosignedBytes,
  decodeEntries,
  decodeTile,
  ecdsaNoteKey,
  ed25519NoteKey,
  encodeEntries,
  encodeTile,
  formatCheckpoint,
  formatNote,
  leafHash,
  merkleRootOf,
  parseCheckpoint,
  parseNote,
  parseTilePath,
  tilePath,
  tileRoot,
  tilesOf,
  verifyNote,
} from "./index.ts";

const ed = generateKeyPairSync("ed25519");
const raw = Buffer.from(ed.publicKey.export({ format: "jwk" }).x!, "base64url");
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = ec.publicKey.export({ format: "der", type: "spki" });
const log = ed25519NoteKey("acme/log", raw);
const device = ecdsaNoteKey("acme/device", spki);
const witness = cosignatureNoteKey("acme/vault", raw);

const text = formatCheckpoint({ origin: "fleet/acme/machine/mini-01", size: 7, root: leafHash("x"), extensions: [] });
const logSig = { name: log.name, keyId: log.keyId, sig: sign(null, Buffer.from(text), ed.privateKey) };
const deviceSig = {
  name: device.name,
  keyId: device.keyId,
  sig: sign("sha256", Buffer.from(text), { key: ec.privateKey, dsaEncoding: "der" }),
};
const witnessSig = {
  name: witness.name,
  keyId: witness.keyId,
  sig: cosignatureBody(1_764_000_000, sign(null, cosignedBytes(1_764_000_000, text), ed.privateKey)),
};
const unknown = { name: "stranger", keyId: new Uint8Array([1, 2, 3, 4]), sig: new Uint8Array([9]) };

test("a note of golang.org/x/mod/sumdb/note verifies", () => {
  const note =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
  const key = Buffer.from("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "base64").subarray(1);
  assert.deepEqual(verifyNote(Buffer.from(note), [ed25519NoteKey("PeterNeumann", key)]).by, [{ name: "PeterNeumann", time: null }]);
});

test("a checkpoint signed by a device, a log and a witness tells who signed it, and when the witness saw it", () => {
  const bytes = formatNote({ text, sigs: [unknown, deviceSig, logSig, witnessSig] });
  const verified = verifyNote(bytes, [log, device, witness]);
  assert.deepEqual(verified.by, [
    { name: "acme/log", time: null },
    { name: "acme/device", time: null },
    { name: "acme/vault", time: 1_764_000_000 },
  ]);
  assert.deepEqual(parseCheckpoint(verified.text), {
    origin: "fleet/acme/machine/mini-01",
    size: 7,
    root: new Uint8Array(leafHash("x")),
    extensions: [],
  });
});

test("a wrong signature of a known key is refused even beside good ones, unknown ones alone prove nothing", () => {
  const wrong = { ...logSig, sig: logSig.sig.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) };
  const code = { code: "NOTE_UNVERIFIED" };
  assert.throws(() => verifyNote(formatNote({ text, sigs: [deviceSig, wrong] }), [log, device]), code);
  assert.throws(() => verifyNote(formatNote({ text, sigs: [unknown] }), [log]), code);
  const later = { ...witnessSig, sig: cosignatureBody(1_764_000_001, witnessSig.sig.subarray(8)) };
  assert.throws(() => verifyNote(formatNote({ text, sigs: [later] }), [witness]), code);
  assert.throws(() => verifyNote(formatNote({ text: text.replace("7", "8"), sigs: [logSig] }), [log]), code);
});

test("what is no note or no checkpoint is refused", () => {
  const bad = [
    "",
    "text\n",
    "text\n\n",
    "text\n\nno dash\n",
    "text\n\n\u2014 a b\n",
    "text\n\n\u2014 a AAAA\n",
    "text\n\n\u2014 a+b AAAAAAAAAA==\n",
    "te\u0001xt\n\n\u2014 a AAAAAAAAAA==\n",
    "text\n\n\u2014 a AAAAAAAAAA==",
    "text\n\n\u2014 a  AAAAAAAAAA==\n",
  ];
  for (const note of bad) assert.throws(() => parseNote(Buffer.from(note)), { code: "NOTE_MALFORMED" }, JSON.stringify(note));
  assert.throws(() => parseNote(Buffer.from([0xff, 0x0a, 0x0a])), { code: "NOTE_MALFORMED" });
  assert.throws(() => parseNote(Buffer.from(`text\n\n${"\u2014 a AAAAAAAAAA==\n".repeat(101)}`)), { code: "NOTE_MALFORMED" });
  const root = Buffer.alloc(32).toString("base64");
  for (const c of [
    "",
    "a\n1\n",
    `a\n01\n${root}\n`,
    `a\n-1\n${root}\n`,
    `a\n9007199254740993\n${root}\n`,
    `\n1\n${root}\n`,
    "a\n1\nAAAA\n",
    `a\n1\n${root} \n`,
    `a\n1\n${root}`,
    `a\n1\n${root}\n\n`,
  ]) {
    assert.throws(() => parseCheckpoint(c), { code: "NOTE_MALFORMED" }, JSON.stringify(c));
  }
  assert.throws(() => formatCheckpoint({ origin: "a\nb", size: 1, root: new Uint8Array(32), extensions: [] }), { code: "NOTE_MALFORMED" });
  assert.throws(() => formatNote({ text: "no line feed", sigs: [logSig] }), { code: "NOTE_MALFORMED" });
  assert.throws(() => ed25519NoteKey("x", new Uint8Array(31)), { code: "NOTE_MALFORMED" });
});

test("parsers of notes and bundles give a value or their own error, whatever the bytes", () => {
  const good = formatNote({ text, sigs: [deviceSig, witnessSig] });
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 80 }), (at, byte, junk) => {
      const flipped = good.map((old, i) => (i === at ? byte : old));
      for (const bytes of [flipped, junk, good.slice(0, at)]) {
        owned(() => parseCheckpoint(parseNote(bytes).text));
        owned(() => decodeEntries(bytes));
        owned(() => parseTilePath(Buffer.from(bytes).toString("latin1")));
      }
      const verified = owned(() => verifyNote(flipped, [device, witness]).text);
      assert.ok(verified === null || verified === text);
    }),
    { numRuns: 300 },
  );
});

function owned(work: () => unknown): unknown {
  try {
    return work();
  } catch (err) {
    if (err instanceof MooringError) return null;
    throw err;
  }
}

test("tile paths are those of C2SP tlog-tiles", () => {
  assert.equal(tilePath({ level: 0, index: 0, width: 256 }), "tile/0/000");
  assert.equal(tilePath({ level: 1, index: 1234067, width: 256 }), "tile/1/x001/x234/067");
  assert.equal(tilePath({ level: "entries", index: 273, width: 5 }), "tile/entries/273.p/5");
  for (const path of [
    "tile/0/1",
    "tile/0/x000/001",
    "tile/00/001",
    "tile/64/001",
    "tile/0/001.p/256",
    "tile/0/001.p/0",
    "tile/0/x001",
    "tile/entries/001.p/05",
    "../tile/0/000",
  ]) {
    assert.throws(() => parseTilePath(path), { code: "TLOG_MALFORMED" }, path);
  }
  fc.assert(
    fc.property(fc.nat({ max: 63 }), fc.nat(), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
      const tile = { level, index, width };
      assert.deepEqual(parseTilePath(tilePath(tile)), tile);
    }),
  );
});

test("a log of 70,000 entries has the tiles of the specification's example", () => {
  const paths = tilesOf(70_000).map(tilePath);
  assert.equal(paths.filter((path) => path.startsWith("tile/0/")).length, 274);
  assert.deepEqual(
    paths.filter((path) => /^tile\/[12]\/|tile\/0\/273|entries\/273/.test(path)),
    ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"],
  );
  assert.deepEqual(tilesOf(258, 256).map(tilePath), ["tile/0/001.p/2", "tile/entries/001.p/2"]);
  assert.deepEqual(tilesOf(0), []);
});

test("tiles and entry bundles come back as they were, cut ones are refused", () => {
  const hashes = Array.from({ length: 256 }, (_, i) => leafHash(String(i)));
  assert.deepEqual(
    decodeTile(encodeTile(hashes), 256).map((h) => Buffer.from(h)),
    hashes,
  );
  assert.deepEqual(tileRoot(hashes), merkleRootOf(hashes));
  assert.throws(() => decodeTile(new Uint8Array(33), 1), { code: "TLOG_MALFORMED" });
  const entries = ["", "one", "x".repeat(300)].map((entry) => new Uint8Array(Buffer.from(entry)));
  assert.deepEqual(decodeEntries(encodeEntries(entries)), entries);
  assert.throws(() => decodeEntries(encodeEntries(entries).slice(0, -1)), { code: "TLOG_MALFORMED" });
  assert.throws(() => encodeEntries([new Uint8Array(65_536)]), { code: "TLOG_MALFORMED" });
});
