import { type Digest, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import {
  type KnownRelease,
  parseSecretsRelease,
  readKnown,
  readSecrets,
  RELEASE_NAMESPACE,
  ROLE_NAMES,
  SECRETS_NAMESPACE,
  type Trust,
} from "#proof/release/index.ts";
import type { Branch } from "#reconciler/revision/index.ts";
import { releaseFolder } from "#reconciler/source/index.ts";
import type { Bytes64 } from "#schemas/wire/index.ts";
import { type Deps, type Fleet, mainOr, type ReadOutcome } from "../fleet/open.ts";
import type { Io } from "../io.ts";
import { type Signer, type SignerOptions, signerOf } from "../sign/index.ts";
import { type Case, caseOf } from "./case.ts";
import { type PolicyWord, policyWords } from "./policies.ts";
import { pushRelease, type SignatureFile } from "./push.ts";
import { type Standing, standingOf } from "./standing.ts";
import { caseText, missingText } from "./words.ts";

export type SignOptions = SignerOptions & {
  readonly lifts: readonly Digest[];
  readonly renew: boolean;
  readonly yes: boolean;
  /** The form of the resolver; left out = that of the release in force. */
  readonly resolver?: number | undefined;
};

/** What comes before the signature: printed first, and may throw. `burns` = the release whose approvals are taken back. */
export type Before = { readonly text: string; readonly burns?: KnownRelease };

/** Shows an outcome's plan, asks, signs release and secrets as far as this person may, and pushes both. Exit code 0; what is still missing is printed.
 *  `what` names the outcome for people. */
export async function signOutcome(
  fleet: Fleet,
  outcome: ReadOutcome,
  what: string,
  options: SignOptions,
  io: Io,
  deps: Deps,
  look?: (at: { readonly standing: Standing; readonly branch: Branch; readonly now: Time }) => Promise<Before>,
): Promise<number> {
  const now = timeOf(deps.clock());
  const branch = await fleet.branchFor(outcome.resolved.fleet);
  const standing = await standingOf(fleet, branch, await mainOr(fleet, outcome));
  const before = await look?.({ standing, branch, now });
  const how = { lifts: options.lifts, resolver: options.resolver, burns: before?.burns };
  const caseWith = (renew: boolean): Case => caseOf({ outcome, standing, branch, now, ...how, renew });
  const { item, word, isOwner, renew } = await withPolicies(policyWords(fleet, standing, now), standing, caseWith, options);
  io.out.write(`${before?.text ?? ""}${caseText(item, what, now)}${word.text}`);
  if (item.missing.length === 0 && !isOwner) return 0;
  const signer = await signerOf(options, trustsOf(item, standing), item.head.release.doc.serial);
  if (!isOwner) checkRole(signer, trustsOf(item, standing));
  if (!isOwner) checkTouch(signer, item, trustsOf(item, standing));
  const todo = todoOf(item, signer, isOwner);
  if (todo.length === 0) {
    io.out.write(`${signer.principal} has signed this already\n`);
    return 0;
  }
  await confirm(io, options.yes, `Sign as ${signer.principal}?`);
  const files = await signatures(todo, signer);
  await pushRelease(fleet, files, item, signer.principal, deps);
  const after = caseOf({
    outcome,
    standing,
    branch: withSignatures(branch, item, files),
    now,
    ...how,
    renew: renew && item.head !== standing.inForce?.release,
  });
  await rememberSigned(fleet, standing, after);
  io.out.write(doneText(todo, item, signer, after, what));
  return 0;
}

type Policed = { readonly item: Case; readonly word: PolicyWord; readonly isOwner: boolean; readonly renew: boolean };

/** The case beside what policies say of it. Their owners approve by signing, whatever their roles: a release newer than the one in force, even where
 *  that covers the outcome. */
async function withPolicies(
  wordsOn: ReturnType<typeof policyWords>,
  standing: Standing,
  make: (renew: boolean) => Case,
  { as, renew }: SignOptions,
): Promise<Policed> {
  const item = make(renew);
  const word = await wordsOn(item);
  const isOwner = word.owners.has(as);
  if (!isOwner || item.head !== standing.inForce?.release) return { item, word, isOwner, renew };
  const newer = make(true);
  return { item: newer, word: await wordsOn(newer), isOwner, renew: true };
}

/** The trust root this person has now signed under, and the release they saw complete. */
async function rememberSigned({ memory, remembered }: Fleet, { holds }: Standing, after: Case): Promise<void> {
  const { serial } = after.head.release.doc;
  const verified = { fleet: after.outcome.resolved.fleet, trust: toBase64(after.trust.bytes) as Bytes64 };
  if (after.isComplete) await memory.write({ v: 1, trustRoot: holds.pin, serial, verified });
  else if (remembered === null) await memory.write({ v: 1, trustRoot: holds.pin, serial: 0, verified: null });
}

/** Sections whose people may sign: the outcome's own, and the one in force, whose root agrees to a change of trust. */
function trustsOf({ trust }: Case, standing: Standing): readonly Trust["section"][] {
  const before = standing.trusts[0]?.trust;
  return before === undefined || before.leaf === trust.leaf ? [trust.section] : [trust.section, before.section];
}

function checkRole({ principal }: Signer, trusts: readonly Trust["section"][]): void {
  if (trusts.some((trust) => ROLE_NAMES.some((role) => trust.roles[role].principals.includes(principal)))) return;
  throw new MooringError("SIGNER_UNKNOWN", `${principal} is in no role that signs releases`, { why: "spec.trust.roles of fleet.yaml" });
}

/** A signature without a touch counts for no role that asks for one, so nobody is asked for it. */
function checkTouch({ principal, key }: Signer, { missing }: Case, trusts: readonly Trust["section"][]): void {
  const own = [...new Set(missing.filter(({ principals }) => principals.includes(principal)).map(({ role }) => role))];
  const counts = own.some((role) => trusts.some(({ roles }) => roles[role].touch === "optional"));
  if (key.startsWith("sk-") || own.length === 0 || counts) return;
  throw new MooringError("SIGNER_KEY_MISMATCH", `the key of ${principal} is no hardware key`, {
    why: `role ${own.join(" and role ")} asks for a touch (spec.trust.roles of fleet.yaml)`,
    fix: "pass a hardware key that trust/allowed_signers names for you: `ssh-keygen -t ed25519-sk` makes one",
  });
}

type Todo = { readonly kind: "release" | "secrets"; readonly bytes: Uint8Array; readonly serial: number };

function todoOf(item: Case, { principal }: Signer, isOwner: boolean): readonly Todo[] {
  const { head, secrets, trust } = item;
  const keys = new Set((trust.section.keys[principal] ?? []).map(({ key }) => key));
  const hasSigned = (signers: readonly { readonly key: string }[]): boolean => signers.some(({ key }) => keys.has(key));
  const todo: Todo[] = [];
  if ((isOwner || !item.isComplete) && !hasSigned(head.release.signers()))
    todo.push({ kind: "release", bytes: head.release.bytes, serial: head.release.doc.serial });
  if (secrets.at === "open" && trust.section.roles.secrets.principals.includes(principal) && !hasSigned(secrets.waiting?.signers() ?? [])) {
    const { serial } = parseSecretsRelease(secrets.document, item.outcome.resolved.fleet);
    todo.push({ kind: "secrets", bytes: secrets.document, serial });
  }
  return todo;
}

/** No terminal and no --yes = refused: a signature nobody was asked for is worth nothing. */
export async function confirm(io: Io, yes: boolean, question: string): Promise<void> {
  if (yes) return;
  if (io.ask === null) throw new MooringError("CONFIRMATION_NEEDED", "there is no terminal to ask on");
  if (!(await io.ask(question))) throw new MooringError("CONFIRMATION_NEEDED", "not confirmed; nothing was signed");
}

async function signatures(todo: readonly Todo[], signer: Signer): Promise<readonly SignatureFile[]> {
  const files: SignatureFile[] = [];
  for (const { kind, bytes, serial } of todo) {
    const armored = await signer.sign(bytes, kind === "release" ? RELEASE_NAMESPACE : SECRETS_NAMESPACE);
    files.push({ kind, folder: releaseFolder(kind, serial, bytes), bytes, armored });
  }
  return files;
}

/** The branch as it is after our push. */
function withSignatures(branch: Branch, { head, secrets, trust, outcome }: Case, files: readonly SignatureFile[]): Branch {
  const sigOf = (kind: SignatureFile["kind"]): readonly string[] =>
    files.filter((file) => file.kind === kind).map(({ armored }) => armored);
  const { fleet } = outcome.resolved;
  const { bytes, sigs, digest } = head.release;
  const release = readKnown({ bytes, sigs: [...sigs, ...sigOf("release")], trust: trust.bytes }, fleet);
  const releases = [release, ...branch.releases.filter((item) => item.release.digest !== digest)];
  if (secrets.at !== "open" || sigOf("secrets").length === 0) return { ...branch, releases };
  const signed = readSecrets(secrets.document, [...(secrets.waiting?.sigs ?? []), ...sigOf("secrets")], fleet);
  return { ...branch, releases, secrets: [signed, ...branch.secrets.filter((item) => item.digest !== signed.digest)] };
}

function doneText(todo: readonly Todo[], item: Case, { principal }: Signer, after: Case, what: string): string {
  const names = todo.map(({ kind, serial }) => (kind === "release" ? `release ${serial}` : `secrets release ${serial}`)).join(" and ");
  const head = `\nsigned ${names} as ${principal}\n`;
  if (after.missing.length > 0) return `${head}still to sign:\n${missingText(after.missing, after.trust)}`;
  return `${head}release ${item.head.release.doc.serial} covers ${what}: complete\n`;
}
