import { createPublicKey } from "node:crypto";
import { canon, type Digest, digestOf, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type AllowedSigners, HUB_PRINCIPAL, parseAllowedSigners } from "#proof/sshsig/index.ts";
import type { PrincipalKey } from "#schemas/wire/index.ts";
import { type Finding, finding, type Place, START } from "./finding.ts";

/** What lies under trust/. `signers` has every key, for commit signatures; `keys` the ones that may sign releases. */
export type TrustFiles = {
  readonly signers: AllowedSigners;
  readonly keys: Readonly<Record<string, readonly PrincipalKey[]>>;
  /** Sorted age recipients that new secret versions are sealed to. */
  readonly recipients: readonly string[];
  readonly trustedRoot: Digest | null;
  /** Of the OpenPGP keys that may sign commits. */
  readonly openpgp: Digest | null;
};

const OURS = ["mooring-release", "mooring-secrets", "mooring-action"] as const;
const RECIPIENT = /^age1[a-z0-9]{1,12}1?[02-9ac-hj-np-z]{50,2200}$/;
const NOBODY: AllowedSigners = { keys: {}, vaultKeys: [], namespaces: new Map(), times: new Map() };

export function readTrust(
  file: string,
  bytes: {
    readonly signers: Uint8Array;
    readonly recipients: Uint8Array | null;
    readonly trustedRoot: Uint8Array | null;
    readonly openpgp: Uint8Array | null;
  },
): {
  readonly trust: TrustFiles;
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const signers = signersOf(file, bytes.signers, findings);
  const trust = {
    signers,
    keys: releaseKeys({ file, text: new TextDecoder().decode(bytes.signers) }, signers, findings),
    recipients: recipientsOf(bytes.recipients, findings),
    trustedRoot: bytes.trustedRoot === null ? null : digestOf(bytes.trustedRoot),
    openpgp: bytes.openpgp === null ? null : digestOf(bytes.openpgp),
  };
  return { trust, findings };
}

function signersOf(file: string, bytes: Uint8Array, findings: Finding[]): AllowedSigners {
  try {
    return parseAllowedSigners(new TextDecoder().decode(bytes));
  } catch (err) {
    if (!(err instanceof MooringError)) throw err;
    const line = typeof err.have === "number" ? err.have : 1;
    findings.push({
      ...finding("FLEET_TRUST_INVALID", file, { line, col: 1, endLine: line, endCol: 1 }, err.why ?? "not readable as allowed_signers"),
      rule: "allowed-signers",
    });
    return NOBODY;
  }
}

/** What a hub that signs for authors goes by: which commits must be signed, and by which keys. */
export function authorsDigest(require: string, { signers, openpgp }: Pick<TrustFiles, "signers" | "openpgp">): Digest {
  const { keys, namespaces, times } = signers;
  return digestOf(canon({ require, keys, namespaces: Object.fromEntries(namespaces), times: Object.fromEntries(times), openpgp }));
}

/** Keys without a `namespaces` option, or with all three of ours. One that only signs commits (namespaces="git") is left out; a part of ours
 *  cannot be carried to the machines, so it is refused. */
function releaseKeys(
  { file, text }: { readonly file: string; readonly text: string },
  signers: AllowedSigners,
  findings: Finding[],
): Readonly<Record<string, readonly PrincipalKey[]>> {
  const kept: [string, readonly PrincipalKey[]][] = [];
  for (const [principal, keys] of Object.entries(signers.keys)) {
    const own = keys.filter(({ key }) => {
      const named = signers.namespaces.get(key) ?? OURS;
      if (principal === HUB_PRINCIPAL) return true; // parseAllowedSigners has looked at its namespaces
      const count = OURS.filter((space) => named.includes(space)).length;
      if (count > 0 && count < OURS.length)
        findings.push({
          ...finding(
            "FLEET_TRUST_INVALID",
            file,
            lineOf(text, key),
            `a key of ${principal} names some of ${OURS.join(", ")}`,
            "name all three, or none",
          ),
          rule: "key-namespaces",
          subject: `allowed_signers/${principal}`,
        });
      return count === OURS.length;
    });
    if (own.length > 0) kept.push([principal, own]);
  }
  return Object.fromEntries(kept);
}

/** The line that holds a key. */
function lineOf(text: string, key: string): Place {
  const blob = key.split(" ")[1] ?? key;
  const lines = text.split("\n");
  const i = lines.findIndex((line) => !line.trimStart().startsWith("#") && line.includes(blob));
  return i < 0 ? START : { line: i + 1, col: 1, endLine: i + 1, endCol: (lines[i]?.trimEnd().length ?? 0) + 1 };
}

function recipientsOf(bytes: Uint8Array | null, findings: Finding[]): readonly string[] {
  if (bytes === null) return [];
  const found = new Set<string>();
  for (const [i, raw] of new TextDecoder().decode(bytes).split("\n").entries()) {
    const text = raw.trim();
    if (text === "" || text.startsWith("#")) continue;
    if (RECIPIENT.test(text)) found.add(text);
    else
      findings.push({
        ...finding(
          "FLEET_TRUST_INVALID",
          "trust/recipients",
          { line: i + 1, col: 1, endLine: i + 1, endCol: raw.trimEnd().length + 1 },
          "not an age recipient",
          "write one age recipient a line, age1…",
        ),
        rule: "recipient",
      });
  }
  return [...found].sort();
}

/** base64 SPKI DER of a PEM file with a P-256 public key; null for anything else. */
export function spkiOf(bytes: Uint8Array): string | null {
  const pem = new TextDecoder().decode(bytes);
  if (!pem.includes("-----BEGIN PUBLIC KEY-----") || pem.includes("PRIVATE")) return null;
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return null;
    return toBase64(key.export({ type: "spki", format: "der" }));
  } catch {
    return null; // what OpenSSL says about a broken key helps nobody
  }
}
