import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseFolder, statementFolder } from "#reconciler/source/index.ts";
import { commitTo } from "#test/support/repo.ts";
import { makeBench, openBench } from "./support.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("the releases branch is read newest first; hostile entries are left out and cost no other", async (t) => {
  const bench = await makeBench(t);
  const [one, ten, secrets, action] = ['{"serial":1}', '{"serial":10}', '{"secrets":1}', '{"action":"revoke"}'];
  const first = releaseFolder("release", 1, bytes(one));
  const tenth = releaseFolder("release", 10, bytes(ten));
  const sealed = releaseFolder("secrets", 4, bytes(secrets));
  const statement = statementFolder(bytes(action));
  const head = await commitTo(bench.gitdir, {
    branch: "mooring/releases",
    parents: [],
    files: {
      [`${first}/release.json`]: one,
      [`${first}/ann@acme.dev.sig`]: "SIG ann",
      [`${first}/bob.sig`]: "SIG bob",
      [`${first}/trust.json`]: '{"kind":"trust"}',
      [`${first}/notes.txt`]: "ignored",
      [`${first}/ci.sigstore.json`]: '{"mediaType":"bundle"}',
      [`${first}/trusted_root.json`]: '{"mediaType":"root"}',
      [`${tenth}/release.json`]: ten,
      [`${tenth}/huge.sig`]: "x".repeat(70_000),
      [`${tenth}/gigantic.sig`]: "x".repeat(1_100_000),
      [`${tenth}/link.sig`]: { mode: "120000", content: "/etc/shadow" },
      [`${sealed}/release-secrets.json`]: secrets,
      [`${sealed}/vault.sig`]: "SIG vault",
      [`${statement}/action.json`]: action,
      [`${statement}/ops.sig`]: "SIG ops",
      "11-00000000/release.json": '{"serial":11}',
      "12-11111111/other.json": "no document",
      "13-zzzzzzzz/release.json": "not a name of ours",
      "statements/readme.txt": "hello",
      "9-12345678": "a file, not a folder",
      "README.md": "hello",
      "evil\\name": "hello",
    },
  });
  const source = await openBench(bench, "http");
  await source.poll();
  const found = await source.readReleases(head);
  assert.deepEqual(
    found.releases.map(({ name }) => name),
    [tenth, first],
  );
  assert.deepEqual(
    [...(found.releases[1]?.signers ?? [])],
    [
      ["ann@acme.dev", "SIG ann"],
      ["bob", "SIG bob"],
      ["ci.sigstore.json", '{"mediaType":"bundle"}'],
      ["trusted_root.json", '{"mediaType":"root"}'],
    ],
  );
  assert.deepEqual(found.releases[1]?.sigs, ["SIG ann", "SIG bob", '{"mediaType":"bundle"}', '{"mediaType":"root"}']);
  assert.equal(Buffer.from(found.releases[1]?.trust ?? []).toString(), '{"kind":"trust"}');
  assert.equal(found.releases[0]?.trust, null);
  assert.equal(found.releases[0]?.signers.size, 0);
  assert.deepEqual(
    found.secrets.map(({ name }) => name),
    [sealed],
  );
  assert.deepEqual(
    found.statements.map(({ name, sigs }) => [name, sigs]),
    [[statement, ["SIG ops"]]],
  );
  assert.deepEqual(
    found.findings.map(({ path }) => path).sort(),
    ["11-00000000", `${tenth}/gigantic.sig`, `${tenth}/huge.sig`, `${tenth}/link.sig`].sort(),
  );
});

test("no file that is added takes the place of another signature", async (t) => {
  const bench = await makeBench(t);
  const folder = releaseFolder("release", 1, bytes("{}"));
  const names = ["ann.sig", "ann.sig.sig", "ci.sigstore.json", "ci.sigstore.json.sig", "trusted_root.json", "trusted_root.json.sig"];
  const head = await commitTo(bench.gitdir, {
    branch: "mooring/releases",
    parents: [],
    files: { [`${folder}/release.json`]: "{}", ...Object.fromEntries(names.map((name) => [`${folder}/${name}`, name])) },
  });
  const source = await openBench(bench, "http");
  await source.poll();
  assert.deepEqual((await source.readReleases(head)).releases[0]?.sigs, names);
});

test("too many signatures on one entry are cut off with a finding", async (t) => {
  const bench = await makeBench(t);
  const folder = releaseFolder("release", 1, bytes("doc"));
  const sigs = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`${folder}/p${i}.sig`, "SIG"]));
  const head = await commitTo(bench.gitdir, {
    branch: "mooring/releases",
    parents: [],
    files: { [`${folder}/release.json`]: "doc", ...sigs },
  });
  const found = await (await openBench(bench, "local")).readReleases(head);
  assert.equal(found.releases[0]?.signers.size, 64);
  assert.equal(found.findings.length, 1);
});
