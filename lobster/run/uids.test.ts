import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openUidBook } from "./uids.ts";

const range = { pluginFirst: 1_000, pluginCount: 2 };

test("a plugin keeps its uid for good, and another one gets it only when the range is spent and its folder is gone", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "uids-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "uids.json");
  const book = await openUidBook(file, dir, range);
  assert.deepEqual(await Promise.all([book.of("a"), book.of("b"), book.of("a")]), [1_000, 1_001, 1_000]);
  for (const id of ["a", "b"]) mkdirSync(join(dir, id));
  const again = await openUidBook(file, dir, range);
  assert.equal(await again.of("b"), 1_001);
  await assert.rejects(again.of("c"), { code: "PLUGIN_UIDS_SPENT" });
  rmSync(join(dir, "a"), { recursive: true });
  assert.equal(await again.of("c"), 1_000);
  assert.deepEqual(new Set(again.all()), new Set([1_000, 1_001]));
});

test("a book that can't be read stops the agent instead of giving uids out twice", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "uids-"));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "uids.json"), '{"v":1,"uids":{"a":');
  await assert.rejects(openUidBook(join(dir, "uids.json"), dir, range), { code: "UIDS_UNREADABLE" });
});
