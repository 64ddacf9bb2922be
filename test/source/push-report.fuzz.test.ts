/** What a server says of a push, right and wrong and cut anywhere, and what isomorphic-git and we make of it. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { hasCode } from "#base/errors/index.ts";
import type { Talk } from "#reconciler/source/transport/carrier.ts";
import { FLUSH, packet, PacketReader } from "#reconciler/source/transport/pkt-line.ts";
import { pushOver, type Report } from "#reconciler/source/transport/push.ts";
import { makerIn } from "#reconciler/source/write-objects.ts";
import { AUTHOR } from "./support.ts";

const REF = "refs/heads/main";
const never = new AbortController().signal;
let gitdir = "";
let from = "";
let to = "";

before(async () => {
  gitdir = await mkdtemp(join(tmpdir(), "pr-"));
  const make = await makerIn(gitdir);
  const file = async (name: string, text: string) => ({ name, mode: "100644", oid: await make.blob(Buffer.from(text)) });
  const old = [await file("a", "1"), await file("b", "2"), await file("c", "3")];
  const commit = { author: AUTHOR, message: "x", seconds: 1_790_000_000 };
  from = await make.commit({ ...commit, tree: await make.tree(old), parent: null });
  to = await make.commit({ ...commit, tree: await make.tree([...old, await file("d", "4")]), parent: from });
  await writeFile(join(gitdir, "shallow"), `${from}\n`);
});
after(() => rm(gitdir, { recursive: true, force: true }));

type Server = { readonly talk: Talk; readonly asked: Uint8Array[] };

/** A server that answers a push with these bytes. */
function answering(bytes: Uint8Array, able: readonly string[] = ["report-status", "side-band-64k"], at: string | null = from): Server {
  const asked: Uint8Array[] = [];
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const size = Math.max(7, bytes.length / 50);
    for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
  }
  const ask: Talk["ask"] = async (body) => {
    asked.push(...body);
    return new PacketReader(chunks(), "x");
  };
  const ad = { version: 0, capabilities: new Map(able.map((name) => [name, ""])), refs: new Map(at === null ? [] : [[REF, at]]) } as const;
  return { talk: { ad, where: "x", ask, settle: async () => undefined, end: () => undefined }, asked };
}

const push = ({ talk }: Server): Promise<Report> => pushOver(talk, { ref: REF, from, to }, gitdir, never);
const inner = (lines: readonly string[]): Buffer => Buffer.concat([...lines.map((line) => packet(`${line}\n`)), FLUSH]);
const band = (bytes: Uint8Array): Buffer =>
  Buffer.concat([packet("\x02hook says\n"), packet(Buffer.concat([Buffer.of(1), bytes])), packet("\x02bye"), FLUSH]);
const OK = ["unpack ok", `ok ${REF}`];

const said = fc.oneof(
  fc.constantFrom("unpack ok", "unpack index-pack abnormal exit", `ok ${REF}`, `ng ${REF} hook declined`, `ng ${REF} fetch first`),
  fc.constantFrom("ok refs/heads/other", "ng refs/heads/other no", "ok", "ng", "ok __proto__", "unpack", ""),
  fc.string({ maxLength: 20 }),
);

test("only a report that names our branch as moved, after a pack that was unpacked, means that it moved", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(said, { maxLength: 5 }), fc.boolean(), async (lines, isPlain) => {
      const server = isPlain ? answering(inner(lines), ["report-status"]) : answering(band(inner(lines)));
      const report = await push(server).catch((err: unknown) => {
        assert.ok(hasCode(err, "SOURCE_NOT_GIT") || hasCode(err, "SOURCE_UNREACHABLE"), String(err));
      });
      if (report?.at !== "moved") return;
      assert.equal(lines[0], "unpack ok");
      assert.ok(lines.some((line) => line.trimEnd() === `ok ${REF}`));
    }),
    { numRuns: 150 },
  );
});

test("any bytes for an answer are a report or one of a few errors", async () => {
  const piece = fc.oneof(
    said.map((line) => packet(line)),
    said.map((line) => packet(`\x01${Buffer.from(packet(line)).toString("latin1")}`)),
    fc.constantFrom("0000", "0001", "0004", "zzzz", "\x03").map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 9 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.boolean(), async (parts, isPlain) => {
      const server = answering(Buffer.concat(parts), isPlain ? ["report-status"] : undefined);
      await push(server).catch((err: unknown) => {
        assert.ok(hasCode(err, "SOURCE_NOT_GIT") || hasCode(err, "SOURCE_UNREACHABLE"), String(err));
      });
    }),
    { numRuns: 150 },
  );
});

test("an answer that is cut anywhere in its report is never taken for whole; what follows that is not waited for", async () => {
  for (const [whole, able] of [
    [Buffer.concat([packet("\x02hook says\n"), packet(Buffer.concat([Buffer.of(1), inner(OK)]))]), undefined],
    [inner(OK), ["report-status"]],
  ] as const) {
    for (let end = 0; end < whole.length; end++)
      await assert.rejects(push(answering(whole.subarray(0, end), able)), { code: "SOURCE_UNREACHABLE" }, String(end));
    assert.deepEqual(await push(answering(whole, able)), { at: "moved" });
  }
});

test("a race is told from a refusal, and both from an answer that says nothing", async () => {
  const told = (...lines: readonly string[]): Promise<Report> => push(answering(band(inner(lines))));
  for (const [why, isRace] of [
    ["fetch first", true],
    ["failed to update ref", true],
    ["cannot lock ref", true],
    ["pre-receive hook declined", false],
    ["protected branch hook declined", false],
  ] as const)
    assert.deepEqual(await told("unpack ok", `ng ${REF} ${why}`), { at: "refused", isRace, text: why });
  assert.deepEqual(await told("unpack index-pack abnormal exit", `ng ${REF} unpacker error`), {
    at: "refused",
    isRace: false,
    text: "unpacker error",
  });
  assert.deepEqual(await told("unpack eof"), { at: "refused", isRace: false, text: "eof" });
  assert.deepEqual(await told("unpack ok", `ok ${REF}`, "ng refs/heads/other no"), { at: "moved" });
  await assert.rejects(told("unpack ok"), { code: "SOURCE_UNREACHABLE" });
  await assert.rejects(told("hello"), { code: "SOURCE_NOT_GIT" });
  const noise = packet(Buffer.alloc(65_000, 0xff));
  await assert.rejects(push(answering(Buffer.concat([noise, FLUSH]), ["report-status"])), { code: "SOURCE_NOT_GIT" });
  await assert.rejects(push(answering(packet("\x03fatal"))), { code: "SOURCE_UNREACHABLE" });
  await assert.rejects(push(answering(band(inner(OK)), ["side-band-64k"])), { code: "SOURCE_NOT_GIT" });
  for (const at of [null, to]) await assert.rejects(push(answering(band(inner(OK)), undefined, at)), { code: "SOURCE_PUSH_RACED" });
  const endless = Array.from({ length: 40 }, () => packet(`\x01${Buffer.from(packet("x".repeat(60_000))).toString()}`));
  await assert.rejects(push(answering(Buffer.concat(endless))), { code: "SOURCE_TOO_LARGE" });
  await assert.rejects(push(answering(Buffer.alloc(1 << 21, "0004"), ["report-status"])), { code: "SOURCE_TOO_LARGE" });
});

test("only what is new goes up, whole, also to a server that takes no thin packs; what it can't do is not asked for", async () => {
  for (const able of [["report-status"], ["report-status", "side-band-64k", "no-thin", "delete-refs", "atomic", "push-options", "agent"]]) {
    const server = answering(able.length === 1 ? inner(OK) : band(inner(OK)), able);
    assert.deepEqual(await push(server), { at: "moved" });
    const bytes = Buffer.concat(server.asked);
    const line = bytes.subarray(4, bytes.indexOf("PACK")).toString();
    const wanted = able.length === 1 ? / report-status\n0000$/ : / report-status side-band-64k agent=\S+\n0000$/;
    assert.ok(line.startsWith(`${from} ${to} ${REF}\0`), line);
    assert.match(line, wanted);
    assert.equal(bytes.readUInt32BE(bytes.indexOf("PACK") + 8), 3); // commit, tree, blob
  }
});

test("a tree that isomorphic-git will not read is refused as such, and nothing is sent", async () => {
  const make = await makerIn(gitdir);
  const oid = await make.blob(Buffer.from("x"));
  await assert.rejects(make.tree([{ name: "odd", mode: "100664", oid }]), { code: "SOURCE_TREE_REFUSED" });
  for (const message of ["", " \n", "one\ngpgsig two"]) {
    const commit = { author: AUTHOR, message, seconds: 1, parent: null, tree: await make.tree([]) };
    await assert.rejects(make.commit(commit), { code: "SOURCE_MISCONFIGURED" }, message);
  }
  const tree = await make.tree([{ name: "a\\b", mode: "100644", oid }]);
  const commit = await make.commit({ author: AUTHOR, message: "x", seconds: 1, parent: from, tree });
  const server = answering(band(inner(OK)));
  await assert.rejects(pushOver(server.talk, { ref: REF, from, to: commit }, gitdir, never), { code: "SOURCE_TREE_REFUSED" });
  assert.equal(server.asked.length, 0);
});
