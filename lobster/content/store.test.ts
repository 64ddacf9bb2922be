import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestOf } from "#base/canonical/index.ts";
import type { HeldBundle } from "#lobster/contract.ts";
import { treeDigest } from "#proof/root/index.ts";
import { type ContentStore, openContentStore } from "./store.ts";

let folder: string;
let store: ContentStore;
const FILES: Readonly<Record<string, string>> = { "main.sh": "exit 0\n", "lib/a/b.js": "1;\n" };
const list = Object.entries(FILES).map(
  ([path, text]) => [path, path.endsWith(".sh") ? 0o755 : 0o644, text.length, digestOf(text)] as const,
);
const held: HeldBundle = { bundle: digestOf("archive"), tree: treeDigest(list), main: "main.sh", files: list };
const bytesOf = async (path: string): Promise<Uint8Array> => new TextEncoder().encode(FILES[path]);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "cs-"));
  store = await openContentStore(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("a bundle is there only once all of it is", async () => {
  assert.equal(await store.intact(held.bundle), null);
  await assert.rejects(
    store.put(held, async () => new Uint8Array(), new Uint8Array()),
    { code: "CONTENT_CORRUPT" },
  );
  assert.equal(await store.record(held.bundle), null);
  await store.put(held, bytesOf, new TextEncoder().encode("{}"));
  assert.deepEqual(await store.intact(held.bundle), held);
});

test("a tree is made of copies with fixed modes, never of hard links", async () => {
  const target = join(folder, "tree");
  await store.materialise(held, target);
  assert.equal(statSync(join(target, "main.sh")).mode & 0o7777, 0o555);
  assert.equal(statSync(join(target, "lib/a/b.js")).mode & 0o7777, 0o444);
  assert.equal(statSync(join(target, "lib/a")).mode & 0o7777, 0o755);
  assert.equal(statSync(join(target, "main.sh")).nlink, 1);
});

test("a rotten blob is noticed when it is used, and dropped", async () => {
  const path = join(folder, "blobs", held.files[0]![3].slice(7));
  chmodSync(path, 0o600);
  writeFileSync(path, "exit 1\n");
  await assert.rejects(store.materialise(held, join(folder, "tree2")), { code: "CONTENT_CORRUPT" });
  assert.equal(await store.intact(held.bundle), null);
  await store.put(held, bytesOf, new TextEncoder().encode("{}"));
  assert.deepEqual(await store.intact(held.bundle), held);
});

test("what no kept generation needs is dropped, blobs too", async () => {
  await store.gc(new Set([held.bundle]));
  assert.equal(readdirSync(join(folder, "blobs")).length, 2);
  await store.gc(new Set());
  assert.deepEqual([readdirSync(join(folder, "blobs")), readdirSync(join(folder, "bundles"))], [[], []]);
});
