/** Folders of the releases branch, as anybody may push them: real trees in a real repository. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { branchOf } from "#reconciler/revision/index.ts";
import { openSource, releaseFolder } from "#reconciler/source/index.ts";
import { FLEET, pluginSection, TestFleet } from "#test/proof/fleet.ts";
import { commitTo, makeBareRepo } from "#test/support/repo.ts";

const one = { principals: ["a"], threshold: 1 };
const fleet = new TestFleet({ root: one, release: one, access: one, secrets: one }, ["a"]);
fleet.machines.set("m1", [pluginSection("mail", 1)]);
const { release } = fleet.release(["a"]);
const folder = releaseFolder("release", 1, release.bytes);

const hex = fc.stringMatching(/^[0-9a-f]{8}$/);
const folderName = fc.oneof(
  fc.constant("1-00000000"),
  fc
    .tuple(
      fc.constantFrom("", "secrets-", "statements/", "x"),
      fc.constantFrom("0", "01", "2", "9007199254740993", "99999999999999999"),
      hex,
    )
    .map(([kind, serial, digest8]) => `${kind}${serial}-${digest8}`),
  fc.tuple(hex).map(([digest8]) => `statements/${digest8}`),
);
const fileName = fc.oneof(
  fc.constantFrom(
    "release.json",
    "release-secrets.json",
    "action.json",
    "trust.json",
    "a.sig",
    ".sig",
    "x.sigstore.json",
    "trusted_root.json",
  ),
  fc.stringMatching(/^[A-Za-z0-9._@+-]{1,12}$/).filter((name) => !/^\.+$/.test(name) && name.toLowerCase() !== ".git"),
);
const content = fc.oneof(
  fc.constant(Buffer.from(release.bytes)),
  fc.constant(Buffer.from(fleet.trust.bytes)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

test("whatever folders are pushed beside it, the good release is read as it is, and nothing ends the reading", async () => {
  const root = await mkdtemp(join(tmpdir(), "rb-"));
  try {
    const gitdir = await makeBareRepo(root);
    await commitTo(gitdir, { branch: "main", files: { a: "a" } });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(folderName, fileName, content), { maxLength: 8 }),
        fc.array(content, { maxLength: 3 }),
        async (more, sigs) => {
          const files: Record<string, Uint8Array | string> = {
            [`${folder}/release.json`]: release.bytes,
            [`${folder}/a.sig`]: release.sigs[0]!,
          };
          for (const [i, bytes] of sigs.entries()) files[`${folder}/junk${i}.sig`] = bytes;
          for (const [name, file, bytes] of more) files[`${name}/${file}`] = bytes;
          const tip = await commitTo(gitdir, { branch: "mooring/releases", parents: [], files });
          const source = await openSource({ url: gitdir, gitdir: join(root, "x"), branch: "main", stateFile: join(root, "state.json") });
          const branch = branchOf(await source.readReleases(tip), FLEET);
          const found = branch.releases.find((item) => item.release.digest === release.digest);
          assert.deepEqual(
            found?.release.signers().map(({ key }) => key),
            [fleet.people.get("a")!.key],
          );
          assert.ok(branch.releases.every((item) => item.release.digest === release.digest || item.release.signers().length === 0));
        },
      ),
      { numRuns: 25 },
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
