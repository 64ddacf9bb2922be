/** The pack reader against git's own: what we take, git takes and reads alike; what nobody should take costs nothing and leaves nothing. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import { hashObject, Objects } from "#reconciler/source/objects.ts";
import { PACK_LIMITS, type PackLimits } from "#reconciler/source/pack/limits.ts";
import { receivePack } from "#reconciler/source/pack/receive.ts";
import { ObjectFiles } from "#reconciler/source/store/object-files.ts";
import { commitTo, git, makeBareRepo } from "#test/support/repo.ts";
import { deltaSize, gitBytes, offsetEntry, packWith, realPack, refEntry, signed, wholeEntry } from "./packs.ts";

const NUMBERS = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
const SIGNAL = new AbortController().signal;
const SMALL: PackLimits = { packBytes: 1 << 20, objects: 1_000, objectBytes: 1 << 20, workBytes: 64 << 20, depth: 50 };

let folder = "";
let repo = "";
let old = ""; // a commit
let head = ""; // many commits later
let count = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pk-"));
  repo = await makeBareRepo(folder, "real.git");
  const lines = (n: number): string => Array.from({ length: 120 }, (_, i) => `line ${i} ${i === n ? "changed" : ""}\n`).join("");
  const files = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`d${i % 3}/f${i}`, lines(-i)]));
  old = await commitTo(repo, { files });
  for (let n = 0; n < 40; n++) head = await commitTo(repo, { files: { [`d${n % 3}/f${n % 30}`]: lines(n), big: lines(n).repeat(3) } });
});
after(() => rm(folder, { recursive: true, force: true }));

async function fresh(): Promise<string> {
  const gitdir = join(folder, `c${++count}`);
  await mkdir(join(gitdir, "objects/pack"), { recursive: true });
  await mkdir(join(gitdir, "refs"));
  await git(gitdir, "init", "--quiet", "--bare");
  return gitdir;
}

async function* inPieces(bytes: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function take(gitdir: string, pack: Uint8Array, limits: PackLimits = SMALL, from?: Objects): Promise<number> {
  const lookup = (oid: string): { type: 1 | 2 | 3 | 4; content: Buffer } | null => {
    const found = from?.lookup(oid) ?? null;
    return found === null ? null : { type: NUMBERS[found.type as "blob"], content: found.bytes };
  };
  return receivePack(inPieces(pack), gitdir, { lookup, limits, signal: SIGNAL });
}

/** The code that `pack` is refused with; null when it is taken. Refused or not, no half file stays. */
async function verdict(gitdir: string, pack: Uint8Array, limits?: PackLimits): Promise<string | null> {
  const before = await readdir(join(gitdir, "objects/pack"));
  try {
    await take(gitdir, pack, limits);
    return null;
  } catch (err) {
    assert.ok(err instanceof MooringError, String(err));
    assert.deepEqual(await readdir(join(gitdir, "objects/pack")), before);
    return err.code;
  }
}

/** Ids in `gitdir` by git; each read by us must be what it says. */
async function compareWithGit(gitdir: string): Promise<readonly string[]> {
  const all = (await git(gitdir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype) %(objectsize)")).split("\n");
  const files = new ObjectFiles(gitdir);
  for (const line of all.filter((one) => one !== "")) {
    const [oid = "", type, size] = line.split(" ");
    const found = files.read(oid);
    assert.ok(found?.at === "found" && found.type === type && found.content.length === Number(size), line);
    assert.equal(hashObject(found.type, found.content), oid);
  }
  return all;
}

test("packs as git makes them, with deltas of both kinds and any depth, hold for us what they hold for git", async () => {
  for (const flags of [
    [],
    ["--delta-base-offset"],
    ["--depth=250", "--window=50", "--delta-base-offset"],
    ["--depth=0"],
    ["--delta-base-offset", "--compression=0"],
  ]) {
    const gitdir = await fresh();
    const pack = await realPack(repo, [head], flags);
    assert.equal(await take(gitdir, pack, PACK_LIMITS), pack.readUInt32BE(8));
    const [name = ""] = (await readdir(join(gitdir, "objects/pack"))).filter((file) => file.endsWith(".pack"));
    await git(gitdir, "verify-pack", join(gitdir, "objects/pack", name));
    assert.equal((await compareWithGit(gitdir)).length, pack.readUInt32BE(8));
    await git(gitdir, "fsck", "--strict", "--full");
  }
});

test("a thin pack is completed from what we have, and refused where we don't have it", async () => {
  const gitdir = await fresh();
  await take(gitdir, await realPack(repo, [old], ["--delta-base-offset"]), PACK_LIMITS);
  const thin = await realPack(repo, [head, `^${old}`], ["--thin", "--delta-base-offset"]);
  assert.equal(await verdict(await fresh(), thin), "SOURCE_PACK_REFUSED");
  assert.equal(await take(gitdir, thin, SMALL, new Objects(gitdir)), thin.readUInt32BE(8));
  await compareWithGit(gitdir);
  await git(gitdir, "fsck", "--strict", "--full", head);
  for (const name of await readdir(join(gitdir, "objects/pack")))
    if (name.endsWith(".pack")) await git(gitdir, "verify-pack", join(gitdir, "objects/pack", name));
});

test("bytes that are no pack, and packs with a bit or a stretch changed, are refused or hold what git finds in them", async () => {
  const pack = await realPack(repo, [`${head}~3..${head}`], ["--delta-base-offset"]).catch(() =>
    realPack(repo, [head], ["--delta-base-offset"]),
  );
  const body = pack.subarray(0, -20);
  const change = fc.oneof(
    fc.record({ kind: fc.constant("flip" as const), at: fc.nat(body.length - 1), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant("cut" as const), at: fc.nat(body.length - 1), bit: fc.nat(40) }),
    fc.record({ kind: fc.constant("twice" as const), at: fc.nat(body.length - 1), bit: fc.nat(200) }),
  );
  let refused = 0;
  const gitdir = await fresh();
  const other = await fresh();
  await fc.assert(
    fc.asyncProperty(change, async ({ kind, at, bit }) => {
      const bytes =
        kind === "flip"
          ? Buffer.from(body)
          : kind === "cut"
            ? Buffer.concat([body.subarray(0, at), body.subarray(at + bit)])
            : Buffer.concat([body.subarray(0, at + bit), body.subarray(at)]);
      if (kind === "flip") bytes[at]! ^= 1 << bit;
      const changed = signed(bytes);
      if ((await verdict(gitdir, changed)) !== null) {
        refused += 1;
        return;
      }
      assert.notEqual(await gitBytes(other, ["index-pack", "--stdin"], changed), null, `git refuses what we take: ${kind} ${at} ${bit}`);
      assert.deepEqual(await compareWithGit(gitdir), await compareWithGit(other));
    }),
    { numRuns: 400 },
  );
  assert.ok(refused > 300, `${refused} of 400`);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, asBody) => {
      assert.notEqual(await verdict(gitdir, asBody ? packWith(1 + (bytes[0] ?? 0), bytes) : bytes), null);
    }),
    { numRuns: 300 },
  );
});

test("a pack that is small and makes much of itself is refused for what it costs", async () => {
  const gitdir = await fresh();
  const zeros = Buffer.alloc(1 << 20);
  const base = wholeEntry(3, zeros);
  // Each delta copies its megabyte again, with one byte to tell it apart.
  const bomb = (n: number): Buffer =>
    refEntry(
      hashObject("blob", zeros),
      Buffer.from([...deltaSize(1 << 20), ...deltaSize(1 << 20), 1, n & 255, 1, n >> 8, 0xf0, 0xfe, 0xff, 0x0f]),
    );
  const many = packWith(201, Buffer.concat([base, ...Array.from({ length: 200 }, (_, n) => bomb(n + 1))]));
  assert.ok(many.length < 16_000);
  assert.equal(await verdict(gitdir, many), "SOURCE_TOO_LARGE");
  assert.equal(await verdict(gitdir, packWith(1, wholeEntry(3, Buffer.alloc(10), 2 ** 40))), "SOURCE_TOO_LARGE");
  assert.equal(await verdict(gitdir, packWith(1, wholeEntry(3, zeros, 10))), "SOURCE_PACK_REFUSED");
  assert.equal(await verdict(gitdir, packWith(4_000_000_000, wholeEntry(3, zeros))), "SOURCE_TOO_LARGE");
  assert.equal(await verdict(gitdir, packWith(900, wholeEntry(3, zeros))), "SOURCE_PACK_REFUSED");
  assert.equal(await verdict(gitdir, packWith(1, Buffer.alloc(2 << 20))), "SOURCE_TOO_LARGE");
});

test("deltas upon nothing, upon each other, too deep, and an object twice are refused", async () => {
  const gitdir = await fresh();
  const oid = (text: string): string => hashObject("blob", Buffer.from(text));
  const to = (from: string, text: string): number[] => [from.length, text.length, text.length, ...Buffer.from(text)];
  const ring = [refEntry(oid("a"), Buffer.from(to("a", "b"))), refEntry(oid("b"), Buffer.from(to("b", "a")))];
  assert.equal(await verdict(gitdir, packWith(2, Buffer.concat(ring))), "SOURCE_PACK_REFUSED");
  assert.equal(await verdict(gitdir, packWith(1, refEntry(oid("x"), Buffer.from(to("x", "y"))))), "SOURCE_PACK_REFUSED");
  const a = wholeEntry(3, Buffer.from("a"));
  for (const back of [0, 1, a.length - 1, a.length + 1, a.length + 12, 1 << 30])
    assert.equal(
      await verdict(gitdir, packWith(2, Buffer.concat([a, offsetEntry(back, Buffer.from(to("a", "b")))]))),
      "SOURCE_PACK_REFUSED",
      String(back),
    );
  assert.equal(await verdict(gitdir, packWith(2, Buffer.concat([a, a]))), "SOURCE_PACK_REFUSED");
  assert.equal(await verdict(gitdir, packWith(1, Buffer.concat([a, a]))), "SOURCE_PACK_REFUSED");
  const same = offsetEntry(a.length, Buffer.from(to("a", "a")));
  assert.equal(await verdict(gitdir, packWith(2, Buffer.concat([a, same]))), "SOURCE_PACK_REFUSED");

  const chain: Buffer[] = [wholeEntry(3, Buffer.from("000"))];
  const text = (n: number): string => String(n).padStart(3, "0");
  for (let n = 1; n <= 60; n++) chain.push(offsetEntry(chain.at(-1)?.length ?? 0, Buffer.from(to(text(n - 1), text(n)))));
  assert.equal(await verdict(gitdir, packWith(61, Buffer.concat(chain))), "SOURCE_TOO_LARGE"); // 50 is the limit here
  assert.equal(await verdict(gitdir, packWith(61, Buffer.concat(chain)), { ...SMALL, depth: 60 }), null);
  await compareWithGit(gitdir);

  // We lend "a"; the pack makes "b" of it, and then "a" of "b".
  const lender = await fresh();
  await take(lender, packWith(1, a));
  await assert.rejects(take(lender, packWith(2, Buffer.concat(ring)), SMALL, new Objects(lender)), { code: "SOURCE_PACK_REFUSED" });
  await compareWithGit(lender);
});
