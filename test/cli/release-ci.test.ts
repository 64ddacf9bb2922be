import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseAsWorkflow } from "#cli/release/workflow.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { git } from "#test/support/repo.ts";
import { type Claims, TestSigstore, WORKFLOW as identity } from "#test/proof/sigstore.ts";
import { serveSigstore } from "#test/proof/sigstore-server.ts";
import { join } from "node:path";
import { CliBench, selected } from "./bench.ts";

const claims: Claims = { ...identity, trigger: "push" };

test("a workflow signs what main asks for; people sign what stays theirs", async (t) => {
  const sigstore = new TestSigstore(new Date(Date.now() - 86_400_000));
  const server = await serveSigstore(sigstore, claims);
  t.after(() => server.close());
  const token = `x.${Buffer.from(JSON.stringify({ sub: "repo:acme/fleet" })).toString("base64")}.x`;
  process.env["SIGSTORE_ID_TOKEN"] = token;
  t.after(() => delete process.env["SIGSTORE_ID_TOKEN"]);
  const bench = await CliBench.make(t, "local");
  bench.now = Date.now();
  const fields = Object.entries(identity).map(([name, value]) => `${name}: "${value}"`);
  const role = `release: { by: ci, identity: { ${fields.join(", ")} } }`;
  const people = "release: { principals: [a@acme.dev, b@acme.dev] }";
  await bench.commit({
    "fleet.yaml": edited(bench.tree, "fleet.yaml", people, role)["fleet.yaml"] ?? "",
    "trust/trusted_root.json": Buffer.from(sigstore.trustedRoot()).toString("utf8"),
  });
  const trustRoot = await bench.root();
  for (const who of ["a@acme.dev", "b@acme.dev", "security@acme.dev"] as const) await bench.release(who, { trustRoot });
  const run = (more: { readonly fulcio?: string } = {}) =>
    bench.run((io) => {
      const options = { source: bench.url, cache: join(bench.folder, "cache-ci"), trustRoot, lifts: [], renew: false };
      return releaseAsWorkflow({ ...options, fulcio: server.url, rekor: server.url, ...more }, io, bench.deps);
    });

  await assert.rejects(run({ fulcio: "http://127.0.0.1:1" }), { code: "SIGNING_FAILED" });
  server.claims = { ...claims, repositoryId: "1002" };
  await assert.rejects(run(), { code: "WORKFLOW_IDENTITY_OTHER" });
  server.claims = claims;
  const first = await run();
  assert.match(first.text, /signed release\.json in 1-[0-9a-f]{8}\ncomplete\n/);
  assert.equal((await selected(bench)).serial, 1);
  const files = await git(bench.gitdir, "ls-tree", "-r", "--name-only", "mooring/releases");
  assert.match(files, /ci\.[0-9a-f]{8}\.sigstore\.json[\s\S]*trusted_root\.[0-9a-f]{8}\.json/);
  assert.match((await run()).text, /nothing here for a workflow to sign/);

  await bench.commit({
    "grants/greeter.yaml": edited(bench.tree, "grants/greeter.yaml", /expires: .*/, "expires: 2031-01-01")["grants/greeter.yaml"] ?? "",
  });
  const second = await run();
  assert.match(second.text, /signed without a person: release: ci acme\/fleet\/\.github\/workflows\/release\.yml@refs\/heads\/main\n/);
  assert.match(second.text, /still to sign:\n {2}access {2}1 of security@acme\.dev/);
  assert.equal((await selected(bench)).serial, 1);
  await bench.release("security@acme.dev", { trustRoot });
  assert.equal((await selected(bench)).serial, 2);
});
