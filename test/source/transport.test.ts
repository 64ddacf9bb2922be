import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { openTransport, parsePlace, type RemotePlace } from "#reconciler/source/transport/index.ts";
import { branchTip, commitTo } from "#test/support/repo.ts";
import { makeSshBench } from "./ssh-bench.ts";
import { makeBench } from "./support.ts";

const never = new AbortController().signal;

function remote(url: string): RemotePlace {
  const place = parsePlace(url);
  if (place.kind === "local") throw new Error("local");
  return place;
}

async function bytesOf(pack: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of pack) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("references are listed by prefix, and a pack comes whole", async (t) => {
  const bench = await makeBench(t);
  const first = await commitTo(bench.gitdir, { files: { a: "1" } });
  await commitTo(bench.gitdir, { branch: "mooring/releases", files: { b: "1" }, parents: [] });
  await commitTo(bench.gitdir, { branch: "other", files: { c: "1" }, parents: [] });
  const transport = openTransport(remote(bench.server.url("fleet.git")), {});
  t.after(() => transport.close());
  const refs = await transport.listRefs(["refs/heads/main", "refs/heads/mooring/releases"], never);
  assert.deepEqual([...refs.keys()].toSorted(), ["refs/heads/main", "refs/heads/mooring/releases"]);
  assert.equal(refs.get("refs/heads/main"), first);
  assert.equal(bench.server.served.length, 2);
  const { pack } = await transport.fetchPack({ wants: [first], haves: [] }, never);
  const bytes = await bytesOf(pack);
  assert.equal(bytes.toString("latin1", 0, 4), "PACK");
  assert.equal(bench.server.served.length, 3);
  assert.equal(await branchTip(bench.gitdir), first);
});

for (const kind of ["http", "ssh"] as const) {
  test(`${kind}: a poll that closes leaves a transfer beside it whole, and what is left unread disturbs nobody`, async (t) => {
    const ssh = kind === "ssh" ? await makeSshBench(t) : null;
    const web = ssh === null ? await makeBench(t) : null;
    const gitdir = ssh?.gitdir ?? web?.gitdir ?? "";
    const noise = Array.from({ length: 120_000 }, (_, i) => (i * 2654435761) >>> 0).join(" ");
    const tip = await commitTo(gitdir, { files: { a: noise } });
    const transport = openTransport(remote(ssh?.url(gitdir) ?? web?.server.url("fleet.git") ?? ""), (await ssh?.access()) ?? {});
    const one = await transport.fetchPack({ wants: [tip] }, never);
    const left = await transport.fetchPack({ wants: [tip] }, never);
    for await (const chunk of left.pack) {
      assert.ok(chunk.length > 0);
      break;
    }
    const refs = await transport.listRefs(["refs/heads/main"], never);
    transport.close();
    assert.equal(refs.get("refs/heads/main"), tip);
    const bytes = await bytesOf(one.pack);
    assert.deepEqual(bytes.subarray(-20), createHash("sha1").update(bytes.subarray(0, -20)).digest());
    const stop = new AbortController();
    const { pack } = await transport.fetchPack({ wants: [tip] }, stop.signal);
    stop.abort();
    await assert.rejects(bytesOf(pack), { code: "SOURCE_UNREACHABLE" });
    await assert.rejects(transport.listRefs(["refs/heads/main"], stop.signal), { code: "SOURCE_UNREACHABLE" });
    assert.equal((await transport.listRefs(["refs/heads/main"], never)).size, 1);
    transport.close();
  });
}
