import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, MooringError } from "#base/errors/index.ts";
import { type Advertisement, readAdvertisement, readRefLines } from "./advertisement.ts";
import { fetchRequest, listRequest, readFetched } from "./fetch.ts";
import { guarded } from "./guard.ts";
import { packet, PacketReader, sideband } from "./pkt-line.ts";

const OID = "a".repeat(40);
const FINE: readonly ErrorCode[] = ["SOURCE_NOT_GIT", "SOURCE_UNREACHABLE", "SOURCE_DENIED", "SOURCE_TOO_LARGE", "NOT_YET"];

/** `bytes` in pieces of these sizes. */
async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const readerOf = (bytes: Uint8Array, sizes: readonly number[] = [7]): PacketReader => new PacketReader(pieces(bytes, sizes), "x");

async function allOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Lines that a server might say, right and wrong, cut and joined. */
const said = fc.oneof(
  fc.constantFrom(
    "version 2",
    "version 1",
    "# service=git-upload-pack",
    "ls-refs=unborn",
    "fetch=shallow filter",
    "object-format=sha1",
    "object-format=sha256",
    "packfile",
    "shallow-info",
    "acknowledgments",
  ),
  fc.constantFrom(
    `shallow ${OID}`,
    `unshallow ${OID}`,
    "NAK",
    `ACK ${OID}`,
    "ERR no",
    `${OID} refs/heads/main`,
    `${OID} refs/heads/main\0side-band-64k shallow`,
    `${"0".repeat(40)} capabilities^{}\0report-status`,
    "unborn HEAD",
  ),
  fc.constantFrom(
    "unpack ok",
    "ok refs/heads/main",
    "ng refs/heads/main non-fast-forward",
    "ng refs/heads/main hook declined",
    "\x01PACK",
    "\x02progress",
    "\x03fatal",
    "\x01",
  ),
  fc.string({ maxLength: 20 }),
);
const piece = fc.oneof(
  said.map((line) => Buffer.from(packet(`${line}\n`))),
  said.map((line) => Buffer.from(packet(line))),
  fc.constantFrom(..."0000 0001 0002 0003 fff1 ffff zzzz 0004".split(" ")).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);
const stream = fc.array(piece, { maxLength: 14 }).map((parts) => Buffer.concat(parts));
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 });
const AD2: Advertisement = {
  version: 2,
  capabilities: new Map([
    ["fetch", "shallow filter"],
    ["agent", "x"],
  ]),
  refs: new Map(),
};
const AD0: Advertisement = {
  version: 0,
  capabilities: new Map([
    ["side-band-64k", ""],
    ["report-status", ""],
    ["shallow", ""],
  ]),
  refs: new Map(),
};

async function settles(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (err) {
    assert.ok(err instanceof MooringError && FINE.includes(err.code), String(err));
  }
}

test("a hostile server's bytes are an answer or one of a few errors, however they are cut", async () => {
  await fc.assert(
    fc.asyncProperty(stream, sizes, async (bytes, cuts) => {
      await settles(readAdvertisement(readerOf(bytes, cuts), "x"));
      await settles(readRefLines(readerOf(bytes, cuts), "x"));
      for (const ad of [AD2, AD0]) {
        for (const depth of [undefined, 1])
          await settles(readFetched(readerOf(bytes, cuts), { wants: [OID], depth }, ad, "x").then(({ pack }) => allOf(pack)));
      }
    }),
    { numRuns: 1_500 },
  );
});

test("packets and side bands come out as they went in, however they are cut", async () => {
  const text = fc.string({ unit: "binary-ascii", maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 10 }), sizes, async (texts, cuts) => {
      const reader = readerOf(Buffer.concat([...texts.map(packet), Buffer.from("0000")]), cuts);
      for (const one of texts) assert.equal(Buffer.from((await reader.next()) as Uint8Array).toString(), one);
      assert.equal(await reader.next(), "flush");
      assert.equal(await reader.next(), null);
      const banded = readerOf(Buffer.concat([...texts.map((one) => packet(`\x01${one}`)), packet("\x02noise"), Buffer.from("0000")]), cuts);
      assert.equal((await allOf(sideband(banded, "x"))).toString(), texts.join(""));
    }),
  );
});

test("an answer that is cut anywhere is never taken for whole", async () => {
  const whole = Buffer.concat([packet("packfile\n"), packet("\x01PACKabc"), packet("\x01def"), Buffer.from("0000")]);
  for (let end = 0; end < whole.length; end++) {
    const work = readFetched(readerOf(whole.subarray(0, end)), { wants: [OID] }, AD2, "x").then(({ pack }) => allOf(pack));
    await assert.rejects(work, { code: "SOURCE_UNREACHABLE" }, String(end));
  }
  const { pack } = await readFetched(readerOf(whole), { wants: [OID] }, AD2, "x");
  assert.equal((await allOf(pack)).toString(), "PACKabcdef");
});

test("an endless answer ends at the limit, a silent one at its deadline, and the connection below is dropped", async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.from("0005x");
  }
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("0005x");
    await new Promise(() => undefined);
  }
  let drops = 0;
  const read = (chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> =>
    allOf(guarded(chunks, { maxBytes, idleMs: 20 }, "x", () => (drops += 1)));
  await assert.rejects(read(endless(), 1_000), { code: "SOURCE_TOO_LARGE" });
  await assert.rejects(read(silent(), 1_000), { code: "SOURCE_UNREACHABLE" });
  assert.equal(drops, 2);
});

test("requests say what was asked, and only what the server knows", () => {
  const text = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString();
  const request = {
    wants: [OID],
    haves: ["b".repeat(40)],
    depth: 3,
    isRelative: true,
    shallow: ["c".repeat(40)],
    isThin: true,
    withoutBlobs: true,
  };
  const two = text(fetchRequest(request, AD2));
  for (const line of [
    "command=fetch",
    `want ${OID}`,
    `have ${"b".repeat(40)}`,
    `shallow ${"c".repeat(40)}`,
    "deepen 3",
    "deepen-relative",
    "thin-pack",
    "filter blob:none",
    "done",
  ])
    assert.ok(two.includes(`${line}\n`), line);
  const onlyShallow = { ...AD2, capabilities: new Map([["fetch", "shallow"]]) };
  assert.ok(!text(fetchRequest(request, onlyShallow)).includes("filter"));
  for (const ad of [AD2, AD0]) assert.throws(() => fetchRequest(request, { ...ad, capabilities: new Map() }), { code: "SOURCE_NOT_GIT" });
  const zero = text(fetchRequest(request, AD0));
  for (const word of ["filter", "deepen-relative", "thin-pack", "agent"]) assert.ok(!zero.includes(word), word);
  assert.ok(zero.startsWith(`0048want ${OID} side-band-64k shallow\n`) && zero.endsWith("0009done\n"));
  assert.ok(text(listRequest(["refs/heads/main", "refs/heads/m"], AD2)).includes("ref-prefix refs/heads/main\n"));
});
