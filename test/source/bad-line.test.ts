/** A line that dies or lies at any byte of a poll: of HTTP's heads, of the references, of the pack. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import type { Source } from "#reconciler/source/index.ts";
import { commitTo } from "#test/support/repo.ts";
import { makeBadLine } from "./bad-line.ts";
import { makeBench, openBench } from "./support.ts";

const noise = (n: number): string => Array.from({ length: 60 }, (_, i) => ((i + n * 60) * 2654435761) >>> 0).join(" ");

async function textAt(source: Source, commit: string, path: string): Promise<string> {
  const oid = (await source.readTree(commit)).get(path)?.oid ?? "";
  return Buffer.from(await source.readBlob(oid)).toString();
}

test("whatever byte the line fails at, the last good revision stays readable and a later poll has the new one", async (t) => {
  const bench = await makeBench(t);
  const line = await makeBadLine(Number(new URL(bench.server.url("x")).port));
  t.after(() => line.close());
  const url = `http://127.0.0.1:${line.port}/fleet.git`;
  let good = await commitTo(bench.gitdir, { files: { a: noise(0), "b/c": noise(1) } });
  let text = noise(0);
  const source = await openBench(bench, "http", { url, timeoutMs: 1_500 });
  await source.poll();
  await commitTo(bench.gitdir, { files: { a: noise(2) } });
  line.suffer(null);
  await source.poll();
  const whole = line.count();
  let n = 2;
  let failures = 0;
  const anyFault = fc.record({ kind: fc.constantFrom("cut" as const, "flip" as const), at: fc.nat(whole + 50) });
  await fc.assert(
    fc.asyncProperty(anyFault, async (fault) => {
      const next = noise(++n);
      const commit = await commitTo(bench.gitdir, { files: { a: next } });
      line.suffer(fault);
      try {
        await source.poll();
      } catch (err) {
        assert.ok(err instanceof MooringError, String(err));
        failures += 1;
      }
      assert.equal(await textAt(source, good, "a"), text);
      line.suffer(null);
      assert.equal((await source.poll()).main, commit);
      assert.equal(await textAt(source, commit, "a"), next);
      [good, text] = [commit, next];
    }),
    { numRuns: 40 },
  );
  assert.ok(failures > 10, `${failures} of 40 were noticed`);
  const left = (await readdir(join(bench.folder, "copy/current/objects/pack"))).filter((name) => name.startsWith("tmp"));
  assert.deepEqual(left, []);
});

test("a first download that breaks leaves nothing behind, and the next one is whole", async (t) => {
  const bench = await makeBench(t);
  const line = await makeBadLine(Number(new URL(bench.server.url("x")).port));
  t.after(() => line.close());
  const commit = await commitTo(bench.gitdir, { files: { a: noise(0), "b/c": noise(1) } });
  const source = await openBench(bench, "http", { url: `http://127.0.0.1:${line.port}/fleet.git`, timeoutMs: 1_500 });
  line.suffer({ kind: "cut", at: 900 });
  await assert.rejects(source.poll(), MooringError);
  await assert.rejects(source.readTree(commit), { code: "SOURCE_CORRUPT" });
  assert.deepEqual(await readdir(join(bench.folder, "copy")), []);
  line.suffer(null);
  assert.equal((await source.poll()).main, commit);
  assert.equal(await textAt(source, commit, "a"), noise(0));
});
