import assert from "node:assert/strict";
import { test } from "node:test";
import { openTransport, parsePlace, type RemotePlace } from "#reconciler/source/transport/index.ts";
import { branchTip, commitTo } from "#test/support/repo.ts";
import { makeBench } from "./support.ts";

const never = new AbortController().signal;

export function remote(url: string): RemotePlace {
  const place = parsePlace(url);
  if (place.kind === "local") throw new Error("local");
  return place;
}

export async function bytesOf(pack: AsyncIterable<Uint8Array>): Promise<Buffer> {
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
