import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import { gzip } from "../gzip.ts";
import { LIMITS, readBundle, type TarFile } from "./index.ts";
import { BLOCK, padding, tarHeader, writeTar } from "../tar.ts";

const file = (path: string, content: string, mode = 0o644): TarFile => ({ path, mode, bytes: new TextEncoder().encode(content) });
const FAMILY = ["BUNDLE_MALFORMED", "BUNDLE_TOO_LARGE", "BUNDLE_PATH_REFUSED", "BUNDLE_ENTRY_REFUSED"];

/** An archive of raw entries: headers may be changed, and are given a right check sum again. */
type Raw = {
  readonly path: string;
  readonly content?: string;
  readonly mode?: number;
  readonly edit?: (header: Buffer) => void;
  readonly sum?: boolean;
};

function rawTar(entries: readonly Raw[], tail: Uint8Array = new Uint8Array(2 * BLOCK)): Uint8Array {
  const parts = entries.flatMap((entry) => {
    const body = Buffer.from(entry.content ?? "");
    const header = Buffer.from(tarHeader(entry.path, entry.mode ?? 0o644, body.length));
    entry.edit?.(header);
    if (entry.sum !== false) fixSum(header);
    return [header, body, Buffer.alloc(padding(body.length))];
  });
  return new Uint8Array(Buffer.concat([...parts, tail]));
}

function fixSum(header: Buffer): void {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
}

function codeOf(tgz: Uint8Array, limits = LIMITS): string {
  try {
    readBundle(tgz, limits);
  } catch (err) {
    if (err instanceof MooringError) return err.code;
    throw err;
  }
  return "accepted";
}

const readRaw = (entries: readonly Raw[], tail?: Uint8Array): string => codeOf(gzip(rawTar(entries, tail)));
const named =
  (name: string) =>
  (header: Buffer): void => {
    header.fill(0, 0, 100);
    header.write(name, 0);
  };

test("what was packed is read back, sorted by path bytes, with modes and contents", () => {
  const files = [file("b", "2"), file("a/b/c.js", "1", 0o755), file("é", ""), file("Z", "z".repeat(512))];
  const read = readBundle(gzip(writeTar(files)));
  assert.deepEqual(
    read.map((f) => [f.path, f.mode, new TextDecoder().decode(f.bytes)]),
    [
      ["Z", 0o644, "z".repeat(512)],
      ["a/b/c.js", 0o755, "1"],
      ["b", 0o644, "2"],
      ["é", 0o644, ""],
    ],
  );
});

test("long paths use ustar's prefix, longer ones are refused when packing", () => {
  const path = `${"d".repeat(70)}/${"e".repeat(70)}/${"f".repeat(90)}`;
  assert.equal(readBundle(gzip(writeTar([file(path, "x")])))[0]?.path, path);
  assert.throws(() => writeTar([file("f".repeat(101), "")]), { code: "BUNDLE_PATH_REFUSED" });
});

test("paths that leave the folder or deceive are refused", () => {
  for (const name of [
    "/etc/passwd",
    "other/x",
    "package/",
    "package",
    "package/../x",
    "package/a/../../x",
    "package//x",
    "package/a/",
    "package/./x",
    "package/a\\b",
    "package/a\nb",
    "package/a\u007fb",
    "package/a\u202egnp.js",
    "package/a\u200bb",
    "",
  ])
    assert.equal(readRaw([{ path: "x", edit: named(name) }]), "BUNDLE_PATH_REFUSED", JSON.stringify(name));
  assert.equal(readRaw([{ path: Array(33).fill("a").join("/") }]), "BUNDLE_PATH_REFUSED");
  assert.equal(readRaw([{ path: Array(32).fill("a").join("/") }]), "accepted");
});

test("links, devices, folders and extensions are refused, and so are other modes", () => {
  for (const type of ["1", "2", "3", "4", "5", "6", "7", "g", "x", "L", "K", "S", "\u0000"])
    assert.equal(readRaw([{ path: "x", edit: (header) => header.write(type, 156) }]), "BUNDLE_ENTRY_REFUSED", type);
  for (const mode of [0o4755, 0o777, 0o600, 0o000]) assert.equal(readRaw([{ path: "x", mode }]), "BUNDLE_ENTRY_REFUSED", mode.toString(8));
});

test("names that meet on a Mac's file system are refused", () => {
  const pair = (a: string, b: string): string => codeOf(gzip(writeTar([file(a, "1"), file(b, "2")])));
  assert.equal(pair("readme", "README"), "BUNDLE_PATH_REFUSED");
  assert.equal(pair("caf\u00e9", "cafe\u0301"), "BUNDLE_PATH_REFUSED");
  assert.equal(pair("stra\u00dfe", "STRASSE"), "BUNDLE_PATH_REFUSED");
  assert.equal(pair("Dir/a", "dir/b"), "BUNDLE_PATH_REFUSED");
  assert.equal(pair("a", "a/b"), "BUNDLE_PATH_REFUSED");
  assert.equal(pair("a/b", "A"), "BUNDLE_PATH_REFUSED");
  assert.equal(pair("dir/a", "dir/b"), "accepted");
});

test("a path twice or out of order is refused", () => {
  assert.equal(readRaw([{ path: "x" }, { path: "x" }]), "BUNDLE_MALFORMED");
  assert.equal(readRaw([{ path: "y" }, { path: "x" }]), "BUNDLE_MALFORMED");
});

test("every field of a header has one spelling", () => {
  const edits: ((header: Buffer) => unknown)[] = [
    (h) => h.write("0000001", 108),
    (h) => h.write("0000001", 116),
    (h) => h.write("00000000001", 136),
    (h) => h.write("target", 157),
    (h) => h.write("ustar  \u0000", 257),
    (h) => h.write("root", 265),
    (h) => h.write("wheel", 297),
    (h) => h.write("0000001", 329),
    (h) => h.write("junk", 505),
    (h) => h.write("junk", 60),
    (h) => h.write(" 000644", 100),
    (h) => h.write("+0000000000", 124),
    (h) => (h[124] = 0x80),
    (h) => (h[12] = 0xff),
  ];
  for (const edit of edits) assert.equal(readRaw([{ path: "x", edit: (header) => void edit(header) }]), "BUNDLE_MALFORMED", String(edit));
  assert.equal(readRaw([{ path: "x", sum: false, edit: (header) => header.write("7", 150) }]), "BUNDLE_MALFORMED");
  assert.equal(readRaw([{ path: "x", edit: (header) => header.write("package", 345) }]), "BUNDLE_MALFORMED");
});

test("archives that are cut, empty, padded or hide something are refused", () => {
  const whole = rawTar([{ path: "x", content: "hello" }]);
  assert.equal(codeOf(gzip(whole)), "accepted");
  for (const size of [0, 1, 511, 512, 515, 1024, 1536, 2047])
    assert.equal(codeOf(gzip(whole.subarray(0, size))), "BUNDLE_MALFORMED", `${size}`);
  assert.equal(codeOf(gzip(new Uint8Array(1024))), "BUNDLE_MALFORMED");
  assert.equal(readRaw([{ path: "x" }], new Uint8Array(10_240)), "BUNDLE_MALFORMED");
  assert.equal(codeOf(gzip(new Uint8Array([...whole, 1]))), "BUNDLE_MALFORMED");
  const hidden = whole.slice();
  hidden[BLOCK + 100] = 1;
  assert.equal(codeOf(gzip(hidden)), "BUNDLE_MALFORMED");
});

test("gzip: one member, our header, right check sum, nothing after it", () => {
  const tgz = gzip(rawTar([{ path: "x" }]));
  assert.equal(codeOf(new Uint8Array(gzipSync(rawTar([{ path: "x" }])))), "BUNDLE_MALFORMED"); // another header
  assert.equal(codeOf(new Uint8Array([...tgz, 0])), "BUNDLE_MALFORMED");
  assert.equal(codeOf(new Uint8Array([...tgz, ...tgz])), "BUNDLE_MALFORMED");
  for (const size of [0, 9, 17, tgz.length - 9, tgz.length - 1]) assert.equal(codeOf(tgz.subarray(0, size)), "BUNDLE_MALFORMED", `${size}`);
  const wrong = tgz.slice();
  wrong[tgz.length - 8] = (wrong[tgz.length - 8] as number) ^ 1;
  assert.equal(codeOf(wrong), "BUNDLE_MALFORMED");
});

test("limits: archive, output of a bomb, files and their bytes", () => {
  const small = { archiveBytes: 10_000, treeBytes: 1000, files: 2, depth: 2 };
  const tgz = (files: TarFile[]): Uint8Array => gzip(writeTar(files));
  assert.equal(codeOf(tgz([file("a", "x".repeat(1000))]), small), "accepted");
  assert.equal(codeOf(tgz([file("a", "x".repeat(1001))]), small), "BUNDLE_TOO_LARGE");
  assert.equal(codeOf(tgz([file("a", ""), file("b", ""), file("c", "")]), small), "BUNDLE_TOO_LARGE");
  assert.equal(codeOf(gzip(new Uint8Array(1_000_000)), small), "BUNDLE_TOO_LARGE");
  assert.equal(codeOf(new Uint8Array(10_001), small), "BUNDLE_TOO_LARGE");
  assert.equal(codeOf(tgz([file("a/b/c", "")]), small), "BUNDLE_PATH_REFUSED");
});

const segment = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const anyFile = fc.record({
  path: fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
  mode: fc.constantFrom(0o644, 0o755),
  bytes: fc.uint8Array({ maxLength: 700 }),
});
const anyFiles = fc.uniqueArray(anyFile, { minLength: 1, maxLength: 6, selector: (f) => f.path });

test("any files are read back, or refused for a collision; input order does not matter", () => {
  fc.assert(
    fc.property(anyFiles, (files) => {
      const tgz = gzip(writeTar(files));
      assert.deepEqual(gzip(writeTar(files.toReversed())), tgz);
      try {
        const read = readBundle(tgz);
        assert.deepEqual(new Set(read.map((f) => f.path)), new Set(files.map((f) => f.path)));
        assert.deepEqual(gzip(writeTar(read)), tgz);
      } catch (err) {
        assert.equal(err instanceof MooringError && err.code, "BUNDLE_PATH_REFUSED");
      }
    }),
  );
});

test("a changed tar is refused by one of our codes, or is the same set of safe files written in the one way", () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anyFiles, edits, fc.nat(), fc.boolean(), (files, changes, cut, doCut) => {
      let tar = writeTar(files).slice();
      for (const [at, byte] of changes) tar[at % tar.length] = byte;
      if (doCut) tar = tar.slice(0, cut % tar.length);
      try {
        assert.deepEqual(writeTar(readBundle(gzip(tar))), tar);
      } catch (err) {
        assert.ok(err instanceof MooringError && FAMILY.includes(err.code), String(err));
      }
    }),
    { numRuns: 500 },
  );
});

test("any bytes, and any damage to the compressed form, give one of our codes", () => {
  const tgz = gzip(rawTar([{ path: "x", content: "hello".repeat(300) }]));
  fc.assert(
    fc.property(fc.nat(tgz.length - 1), fc.uint8Array({ minLength: 1, maxLength: 20 }), (at, bytes) => {
      const changed = tgz.slice();
      changed.set(bytes.subarray(0, tgz.length - at), at);
      for (const input of [changed, bytes, new Uint8Array([...tgz.subarray(0, 10), ...bytes])]) {
        const code = codeOf(input);
        assert.ok(FAMILY.includes(code) || Buffer.from(input).equals(tgz), code);
      }
    }),
    { numRuns: 300 },
  );
});
