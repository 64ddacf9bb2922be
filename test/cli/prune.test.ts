import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pruneConfirm } from "#cli/prune.ts";
import { timeOf } from "#base/time/index.ts";
import { confirmedBy, branchOf } from "#reconciler/revision/index.ts";
import { demandFleet, filesOf, loadFleet, resolve } from "#reconciler/desired/index.ts";
import { openSource } from "#reconciler/source/index.ts";
import { wideTree } from "#test/support/wide-tree.ts";
import { CliBench, type Who } from "./bench.ts";

test("somebody named for prune confirms what main takes away; nobody else can, and only where something waits", async (t) => {
  const bench = await CliBench.make(t, "local");
  const { "trust/allowed_signers": signers } = bench.tree;
  const gone = Object.fromEntries(Object.keys(bench.tree).map((path) => [path, null] as const));
  await bench.commit({ ...gone, ...wideTree(10), "trust/allowed_signers": signers! });
  const before = resolve(demandFleet(await loadFleet(filesOf(bench.tree))));
  const trustRoot = await bench.releaseAll();
  const run = (who: Who) =>
    bench.run((io) =>
      pruneConfirm({ ...bench.options(who), trustRoot, reason: "the site closes", forMs: 86_400_000, yes: true }, io, bench.deps),
    );
  await assert.rejects(run("ops@acme.dev"), { code: "RELEASE_MISSING" });
  await bench.commit(Object.fromEntries([0, 1, 2, 3].map((i) => [`machines/m-0${i}.yaml`, null])));
  for (const who of ["a@acme.dev", "security@acme.dev"] as const) await bench.release(who, { trustRoot });
  await assert.rejects(run("a@acme.dev"), { code: "SIGNER_UNKNOWN" });
  const { code, text } = await run("ops@acme.dev");
  assert.equal(code, 0);
  assert.match(text, /^machines\/m-00\.yaml:4:9 PRUNE_UNCONFIRMED 4 of 10 machines/);
  assert.match(text, /confirmed until 2026-11-25T18:00:00\.000Z; on mooring\/releases as statements\//); // 8 h, as trust.actions allows

  const source = await openSource({
    url: bench.gitdir,
    gitdir: join(bench.folder, "look.git"),
    branch: "main",
    stateFile: join(bench.folder, "look.json"),
  });
  const branch = branchOf(await source.readReleases((await source.poll()).releases!), "acme");
  assert.deepEqual(confirmedBy(before, branch, 1, timeOf(bench.now)), ["ops@acme.dev"]);
  assert.deepEqual(confirmedBy(before, branch, 1, timeOf(bench.now + 9 * 3_600_000)), []);
  await bench.commit({ "machines/m-04.yaml": null });
  assert.match((await run("ops@acme.dev")).text, /nothing waits for a confirmation/);
});
