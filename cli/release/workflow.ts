import { type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { timeOf } from "#base/time/index.ts";
import {
  parseSecretsRelease,
  payloadTypeOf,
  readKnown,
  readSecrets,
  RELEASE_NAMESPACE,
  SECRETS_NAMESPACE,
  type Signatures,
} from "#proof/release/index.ts";
import { parseTrustedRoot, verifyWorkflow } from "#proof/sigstore/index.ts";
import type { Branch } from "#reconciler/revision/index.ts";
import { commitFiles, releaseFolder, RELEASES_BRANCH } from "#reconciler/source/index.ts";
import type { RoleName } from "#schemas/wire/index.ts";
import { accessFor, demandOutcome, type Deps, openFleet, type ReadOutcome, type SourceOptions } from "../fleet/open.ts";
import type { Io } from "../io.ts";
import { type SigstorePlace } from "../sign/index.ts";
import { type Case, caseOf } from "./case.ts";
import { standingOf } from "./standing.ts";
import { caseText, missingText } from "./words.ts";

export type WorkflowOptions = SourceOptions & SigstorePlace & { readonly lifts: readonly Digest[]; readonly renew: boolean };

type Todo = { readonly folder: string; readonly name: string; readonly namespace: string; readonly bytes: Uint8Array };

/** `mooring release-ci`: what main asks for is signed by the workflow this runs in, where a role is `by: ci`, and pushed with the trusted root it holds under.
 *  Exit code 0; what people still have to sign is printed. Each signature is verified as a machine will before it is pushed: another workflow, branch or
 *  sigstore throws what `verifyWorkflow` throws. */
export async function releaseAsWorkflow(options: WorkflowOptions, io: Io, deps: Deps): Promise<number> {
  const fleet = await openFleet(options);
  const outcome = await demandOutcome(fleet, fleet.main);
  const now = timeOf(deps.clock());
  const branch = await fleet.branchFor(outcome.resolved.fleet);
  const standing = await standingOf(fleet, branch, outcome);
  const caseAt = (at: Branch): Case => caseOf({ outcome, standing, branch: at, now, lifts: options.lifts, renew: options.renew });
  const item = caseAt(branch);
  io.out.write(caseText(item, "main", now));
  const todo = todoOf(item);
  if (todo.length === 0) {
    io.out.write("nothing here for a workflow to sign\n");
    return 0;
  }
  const root = await trustedRootOf(fleet.source, outcome);
  const { signAsWorkflow } = await import("../sign/workflow.ts");
  const signed: (Todo & { readonly bundle: string })[] = [];
  for (const document of todo) {
    const bundle = await signAsWorkflow(document.bytes, document.namespace, options);
    const role = document.namespace === RELEASE_NAMESPACE ? "release" : "secrets";
    const { identity } = item.trust.section.roles[role];
    if (identity === undefined) throw new Error("a role by: ci has an identity");
    verifyWorkflow(
      Buffer.from(bundle),
      { type: payloadTypeOf(document.namespace), bytes: document.bytes },
      identity,
      parseTrustedRoot(root),
    );
    signed.push({ ...document, bundle });
  }
  const author = { name: "mooring release-ci", email: "ci@localhost" };
  const files = filesOf(signed, root, item);
  const place = { url: options.source, branch: RELEASES_BRANCH, ...(await accessFor(options)) };
  await commitFiles({ ...place, files, message: "release: signed by a workflow", author }, { now: deps.clock, random: deps.random });
  io.out.write(doneText(signed, caseAt(branchWith(branch, item, signed, root))));
  return 0;
}

function todoOf(item: Case): readonly Todo[] {
  const { head, secrets, outcome } = item;
  const todo: Todo[] = [];
  if (!item.isComplete && isOpen(item, "release", head.release)) {
    const { bytes, doc } = head.release;
    todo.push({ folder: releaseFolder("release", doc.serial, bytes), name: "release.json", namespace: RELEASE_NAMESPACE, bytes });
  }
  if (secrets.at === "open" && isOpen(item, "secrets", secrets.waiting)) {
    const { serial } = parseSecretsRelease(secrets.document, outcome.resolved.fleet);
    const folder = releaseFolder("secrets", serial, secrets.document);
    todo.push({ folder, name: "release-secrets.json", namespace: SECRETS_NAMESPACE, bytes: secrets.document });
  }
  return todo;
}

function isOpen({ trust }: Case, name: RoleName, signed: Signatures | null): boolean {
  const { trustedRoot, roles } = trust.section;
  const { by, identity } = roles[name];
  return by === "ci" && identity !== undefined && trustedRoot !== null && signed?.isByWorkflow(identity, trustedRoot) !== true;
}

async function trustedRootOf(source: { readBlob(oid: string): Promise<Uint8Array> }, { repo, tree }: ReadOutcome): Promise<Uint8Array> {
  const path = repo.fleet.doc.spec.trust.bundles.trustedRoot;
  const file = tree.get(path);
  if (file === undefined) throw new MooringError("FLEET_INVALID", `${path} is missing`);
  return source.readBlob(file.oid);
}

/** Names with a digest: plain ones somebody could have taken. */
function filesOf(signed: readonly (Todo & { readonly bundle: string })[], root: Uint8Array, item: Case): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const { folder, name, namespace, bytes, bundle } of signed) {
    files.set(`${folder}/${name}`, bytes);
    files.set(`${folder}/ci.${digestOf(bundle).slice(7, 15)}.sigstore.json`, Buffer.from(bundle));
    files.set(`${folder}/trusted_root.${digestOf(root).slice(7, 15)}.json`, root);
    if (namespace === RELEASE_NAMESPACE && item.isTrustNew) files.set(`${folder}/trust.json`, item.trust.bytes);
  }
  return files;
}

/** The branch as it is after our push. */
function branchWith(branch: Branch, item: Case, signed: readonly (Todo & { readonly bundle: string })[], root: Uint8Array): Branch {
  const { fleet } = item.outcome.resolved;
  const more = (namespace: string): readonly string[] => {
    const own = signed.filter((document) => document.namespace === namespace);
    return own.length === 0 ? [] : [Buffer.from(root).toString("utf8"), ...own.map(({ bundle }) => bundle)];
  };
  const { bytes, sigs, digest } = item.head.release;
  const head = readKnown({ bytes, sigs: [...sigs, ...more(RELEASE_NAMESPACE)], trust: item.trust.bytes }, fleet);
  const releases = [head, ...branch.releases.filter(({ release }) => release.digest !== digest)];
  if (item.secrets.at !== "open" || more(SECRETS_NAMESPACE).length === 0) return { ...branch, releases };
  const secrets = readSecrets(item.secrets.document, [...(item.secrets.waiting?.sigs ?? []), ...more(SECRETS_NAMESPACE)], fleet);
  return { ...branch, releases, secrets: [secrets, ...branch.secrets.filter((other) => other.digest !== secrets.digest)] };
}

function doneText(signed: readonly Todo[], after: Case): string {
  const names = signed.map(({ name, folder }) => `${name} in ${folder}`).join(" and ");
  const head = `\nsigned ${names}\n`;
  return after.missing.length > 0 ? `${head}still to sign:\n${missingText(after.missing)}` : `${head}complete\n`;
}
