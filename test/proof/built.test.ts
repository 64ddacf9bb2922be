import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import type * as Sigstore from "#proof/sigstore/index.ts";
import { BUNDLING } from "../../scripts/build.ts";
import { type Claims, TestSigstore, WORKFLOW as identity } from "./sigstore.ts";

// The bundled agent leaves forms out of the sigstore packages: it has to verify all the same.
let folder: string;
let built: typeof Sigstore;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sig-"));
  const outfile = join(folder, "sigstore.mjs");
  await build({ ...BUNDLING, entryPoints: ["proof/sigstore/index.ts"], outfile });
  built = (await import(outfile)) as typeof Sigstore;
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("a machine's code verifies a workflow's signature as built, and refuses another's", () => {
  const sigstore = new TestSigstore(new Date("2026-01-01T00:00:00Z"));
  const payload = { type: "x", bytes: Buffer.from("document") };
  const root = built.parseTrustedRoot(sigstore.trustedRoot());
  for (const log of ["v1", "v2"] as const) {
    const claims: Claims = { ...identity, trigger: "push" };
    const bundle = (more: Partial<Claims>): Buffer =>
      Buffer.from(
        sigstore.sign(payload.bytes, payload.type, { claims: { ...claims, ...more }, at: new Date("2026-11-25T10:00:00Z"), log }),
      );
    built.verifyWorkflow(bundle({}), payload, identity, root);
    assert.throws(() => built.verifyWorkflow(bundle({ ownerId: "3" }), payload, identity, root), { code: "WORKFLOW_IDENTITY_OTHER" });
    assert.throws(() => built.verifyWorkflow(bundle({}), { ...payload, bytes: Buffer.from("other") }, identity, root), {
      code: "WORKFLOW_SIGNATURE_INVALID",
    });
  }
});
