import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Time } from "#base/time/index.ts";
import { openBindingBook, openEventBook } from "#reconciler/machine/index.ts";
import type { AgentEvent, MachineId } from "#schemas/wire/index.ts";

const MINI = "mini-01" as MachineId;
const event = (seq: number, stream = "s1"): AgentEvent => ({
  stream,
  seq,
  at: "2026-11-25T10:00:00.000Z" as Time,
  kind: "apply.done",
  data: {},
});
const record = (book: ReturnType<typeof openEventBook>, each: AgentEvent): Promise<boolean> =>
  book.record(MINI, each, `${each.stream}.${each.seq}`);

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mb-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("an event is kept once, also over a restart, and a new stream starts anew", () =>
  withFolder(async (folder) => {
    const book = openEventBook(folder);
    assert.deepEqual(await Promise.all([1, 2, 2, 1].map((seq) => record(book, event(seq)))), [true, true, false, false]);
    const again = openEventBook(folder);
    assert.equal(await again.last(MINI), "s1.2");
    assert.equal(await record(again, event(2)), false);
    assert.equal(await record(again, event(1, "s2")), true);
    assert.equal((await readFile(join(folder, "mini-01.ndjson"), "utf8")).split("\n").length, 4);
  }));

test("a line that a crash cut is left out and comes again", () =>
  withFolder(async (folder) => {
    await record(openEventBook(folder), event(1));
    await appendFile(join(folder, "mini-01.ndjson"), '{"stream":"s1","seq":2,"at"');
    const again = openEventBook(folder);
    assert.equal(await again.last(MINI), "s1.1");
    assert.equal(await record(again, event(2)), true);
    assert.equal(await openEventBook(folder).last(MINI), "s1.2");
  }));

test("a broken binding record costs one more sealing, nothing else", () =>
  withFolder(async (folder) => {
    const book = openBindingBook(folder);
    assert.equal(await book.read(MINI), null);
    await book.write(MINI, { wanted: "w", leaseUntil: "t", renewAt: 5 });
    assert.deepEqual(await openBindingBook(folder).read(MINI), { wanted: "w", leaseUntil: "t", renewAt: 5 });
    await writeFile(join(folder, "mini-01.json"), "{");
    assert.equal(await book.read(MINI), null);
  }));
