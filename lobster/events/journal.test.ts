import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Journal, openJournal } from "./journal.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "jr-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const open = (name: string, cap?: number): Promise<Journal> =>
  openJournal(
    join(folder, name),
    () => 0,
    () => `id-${name}`,
    cap,
  );

test("events survive a restart, a half-written line does not", async () => {
  const journal = await open("a");
  await journal.append("epoch.raised", { epoch: 1 });
  await journal.append("epoch.raised", { epoch: 2 });
  await journal.close();
  appendFileSync(join(folder, "a/events.ndjson"), '{"stream":"id-a","seq":3,"at"');
  const again = await open("a");
  assert.deepEqual(again.range(), { first: 1, last: 2 });
  await again.append("epoch.raised", { epoch: 3 });
  assert.equal(JSON.parse((await again.read(3)) ?? "null").data.epoch, 3);
  assert.equal(await again.read(4), null);
  await again.close();
});

test("seqs go on after everything was acked and the agent restarted", async () => {
  const journal = await open("b");
  await journal.append("epoch.raised", { epoch: 1 });
  await journal.ack("id-b", 1);
  await journal.close();
  const again = await open("b");
  assert.deepEqual(again.range(), { first: 2, last: 1 });
  await again.append("epoch.raised", { epoch: 2 });
  assert.deepEqual(again.range(), { first: 2, last: 2 });
  await assert.rejects(again.ack("other", 2), { code: "EVENTS_STREAM_OTHER" });
  await assert.rejects(again.ack("id-b", 3), { code: "EVENTS_SEQ_UNKNOWN" });
  await again.close();
});

test("over the cap the oldest go and one gap says which", async () => {
  const journal = await open("c", 2_000);
  for (let i = 0; i < 40; i++) await journal.append("epoch.raised", { epoch: i });
  const { first, last } = journal.range();
  assert.ok(first > 1);
  const lines = await Promise.all(Array.from({ length: last - first + 1 }, (_, i) => journal.read(first + i)));
  const kept = lines.map((line) => JSON.parse(line ?? "null") as { seq: number; kind: string; data: { from?: number; to?: number } });
  assert.deepEqual(
    kept.map((event) => event.seq),
    kept.map((_, i) => first + i),
  );
  const gap = kept.findLast((event) => event.kind === "gap");
  assert.equal(gap?.data.to, first - 1);
  await journal.close();
});
