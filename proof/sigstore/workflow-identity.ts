import { X509Certificate } from "node:crypto";
import { MooringError } from "#base/errors/index.ts";
import type { WorkflowIdentity } from "#schemas/wire/index.ts";

/** One extension of a certificate as @sigstore/verify gives it. */
export type Extension = { readonly oid?: { readonly id: readonly number[] } | undefined; readonly value: Uint8Array };

/** Whose workflows' certificates we can read: the issuer of their tokens → where their repositories are. */
const SERVERS: ReadonlyMap<string, string> = new Map([["https://token.actions.githubusercontent.com", "https://github.com"]]);
/** What starts a workflow on the ref that signs. The other triggers can be pulled by people who may not push there (a pull request, a comment). */
const TRIGGERS: ReadonlySet<string> = new Set(["push", "schedule", "workflow_dispatch"]);
const FULCIO = "1.3.6.1.4.1.57264.1.";
const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";

/** Whether workflows of this issuer can sign at all. */
export function isKnownIssuer(issuer: string): boolean {
  return SERVERS.has(issuer);
}

/** Holds the certificate's subject against the workflow: one name, an end certificate, for signing code. It is the cheap look before any signature
 *  is verified: it proves nothing alone. Throws WORKFLOW_IDENTITY_OTHER. */
export function checkSubject(leaf: X509Certificate, want: WorkflowIdentity): void {
  same("the name in the certificate", `URI:${uriOf(want)}`, leaf.subjectAltName);
  if (leaf.ca || !(leaf.keyUsage ?? []).includes(CODE_SIGNING)) throw other("its certificate is not one for signing code");
}

/** Holds what Fulcio says of the run against the workflow: issuer, ids, repository, ref and workflow file, each exactly, and what started it. The
 *  workflow that signs is the one that ran, so a reusable one of somebody else does not count. Throws WORKFLOW_IDENTITY_OTHER. */
export function checkExtensions(extensions: readonly Extension[], want: WorkflowIdentity): void {
  const repository = `${serverOf(want)}/${want.repository}`;
  const expected: readonly (readonly [number, string, string])[] = [
    [8, "issuer", want.issuer],
    [15, "repository id", want.repositoryId],
    [17, "owner id", want.ownerId],
    [12, "repository", repository],
    [14, "ref", want.ref],
    [18, "workflow", uriOf(want)],
    [9, "signing workflow", uriOf(want)],
  ];
  for (const [number, what, value] of expected) same(what, value, valueOf(extensions, number));
  const trigger = valueOf(extensions, 20);
  if (trigger === undefined || !TRIGGERS.has(trigger)) throw other(`a run started by ${quoted(trigger)} does not sign`);
}

function uriOf(want: WorkflowIdentity): string {
  return `${serverOf(want)}/${want.repository}/${want.workflow}@${want.ref}`;
}

function serverOf({ issuer }: WorkflowIdentity): string {
  const server = SERVERS.get(issuer);
  if (server === undefined) throw other("the issuer is of a forge whose certificates are not read");
  return server;
}

/** Text of the one extension 1.3.6.1.4.1.57264.1.`number`: a DER UTF8String from number 8 on. Undefined when it is missing, twice there or of
 *  another form. */
function valueOf(extensions: readonly Extension[], number: number): string | undefined {
  const found = extensions.filter(({ oid }) => oid?.id.join(".") === `${FULCIO}${number}`);
  const [only] = found;
  return only === undefined || found.length > 1 ? undefined : utf8String(only.value);
}

function utf8String(der: Uint8Array): string | undefined {
  const [tag, first = 0x80] = der;
  const extra = first < 0x80 ? 0 : first - 0x80;
  if (tag !== 0x0c || extra > 2 || (first >= 0x80 && extra === 0)) return undefined;
  const length = extra === 0 ? first : der.subarray(2, 2 + extra).reduce((sum, byte) => sum * 256 + byte, 0);
  const text = der.subarray(2 + extra);
  if (text.length !== length) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    return undefined; // no text, so not the one that is wanted
  }
}

function same(what: string, expected: string, found: string | undefined): void {
  if (expected !== found) throw other(`${what}: expected ${quoted(expected)}, found ${quoted(found)}`);
}

function quoted(text: string | undefined): string {
  return text === undefined ? "nothing" : JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
}

function other(why: string): MooringError {
  return new MooringError("WORKFLOW_IDENTITY_OTHER", "a workflow's signature", { why });
}
