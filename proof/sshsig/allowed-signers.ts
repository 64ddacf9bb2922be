import { MooringError } from "#base/errors/index.ts";
import type { PrincipalKey, VaultKey } from "#schemas/wire/index.ts";
import { parseKeyText, type SshKey } from "./key.ts";

/** What trust/allowed_signers says: keys of principals, and keys of the vault, both in the form of the trust section. `namespaces` per key
 *  text holds OpenSSH's own restriction, null = none. The trust section has no such restriction, so the caller MUST leave out of it every key
 *  that is not for all of mooring-release, mooring-secrets and mooring-action, or a key for commits would sign releases. */
export type AllowedSigners = {
  readonly keys: Readonly<Record<string, readonly PrincipalKey[]>>;
  readonly vaultKeys: readonly VaultKey[];
  readonly namespaces: ReadonlyMap<string, readonly string[] | null>;
};

/** The principal whose keys are the vault's; such a line MUST say namespaces="mooring-secrets". */
export const VAULT_PRINCIPAL = "vault";

/** The principal whose keys are the hub's, for roles that are `by: hub`. */
export const HUB_PRINCIPAL = "hub";

const HUB_NAMESPACES = "mooring-release,mooring-secrets";
const PRINCIPAL = /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/;
const MAX_CHARS = 262_144;

type Line = {
  readonly principals: readonly string[];
  readonly namespaces: readonly string[] | null;
  readonly key: SshKey;
  readonly window: Window;
};
type Window = { readonly from: number; readonly until: number | null; readonly touch: "optional" | "required" };

/** Reads OpenSSH's allowed_signers, strictly, plus our comment tokens `mooring:from=N`, `mooring:until=N`, `mooring:touch=optional|required`.
 *  What it cannot honour (cert-authority, times, patterns) throws ALLOWED_SIGNERS_INVALID naming the line. Principals come out sorted. */
export function parseAllowedSigners(text: string): AllowedSigners {
  if (text.length > MAX_CHARS) throw invalid(1, "more than 256 KiB");
  const keys = new Map<string, PrincipalKey[]>();
  const vaultKeys: VaultKey[] = [];
  const namespaces = new Map<string, readonly string[] | null>();
  const seen = new Map<string, number>();
  for (const [i, raw] of text.split("\n").entries()) {
    const line = parseLine(raw.endsWith("\r") ? raw.slice(0, -1) : raw, i + 1);
    if (line === null) continue;
    for (const principal of line.principals) {
      const id = `${principal} ${line.key.text}`;
      if (seen.has(id)) throw invalid(i + 1, `the same key of ${principal} is already on line ${seen.get(id)}`);
      seen.set(id, i + 1);
    }
    const before = namespaces.get(line.key.text);
    if (before !== undefined && before?.join() !== line.namespaces?.join())
      throw invalid(i + 1, "the same key has other namespaces on another line");
    namespaces.set(line.key.text, line.namespaces);
    addLine(line, i + 1, keys, vaultKeys);
  }
  return { keys: Object.fromEntries([...keys].sort(([a], [b]) => (a < b ? -1 : 1))), vaultKeys, namespaces };
}

function addLine(line: Line, number: number, keys: Map<string, PrincipalKey[]>, vaultKeys: VaultKey[]): void {
  const { from, until, touch } = line.window;
  if (line.principals.includes(VAULT_PRINCIPAL)) {
    if (line.principals.length > 1) throw invalid(number, "the vault's key can belong to nobody else");
    if (line.namespaces?.join() !== "mooring-secrets") throw invalid(number, 'a vault key needs namespaces="mooring-secrets"');
    if (line.key.type !== "ssh-ed25519") throw invalid(number, "a vault key must be ssh-ed25519");
    vaultKeys.push({ key: line.key.text, from, until });
    return;
  }
  if (line.principals.includes(HUB_PRINCIPAL)) {
    if (line.principals.length > 1) throw invalid(number, "the hub's key can belong to nobody else");
    if (line.key.type !== "ssh-ed25519") throw invalid(number, "a hub key must be ssh-ed25519");
    if (line.namespaces?.join() !== HUB_NAMESPACES) throw invalid(number, `a hub key needs namespaces="${HUB_NAMESPACES}"`);
  }
  for (const principal of line.principals) {
    keys.set(principal, [...(keys.get(principal) ?? []), { key: line.key.text, touch, from, until }]);
  }
}

function parseLine(raw: string, number: number): Line | null {
  const text = raw.trim();
  if (text === "" || text.startsWith("#")) return null;
  if (!/^[\x20-\x7e\t\u00a0-\uffff]+$/.test(text)) throw invalid(number, "control characters");
  const [names, ...afterNames] = text.split(/[ \t]+/);
  const { namespaces, fields } = takeOptions(afterNames, number);
  const [type, base64, ...comment] = fields;
  if (type === undefined || base64 === undefined) throw invalid(number, "a line is: principals, options, key type, key");
  const key = keyOn(`${type} ${base64}`, number);
  return { principals: principalsOf(names!, number), namespaces, key, window: windowOf(comment, key, number) };
}

function principalsOf(names: string, number: number): string[] {
  const list = names.split(",");
  for (const name of list) {
    if (/[*?!]/.test(name)) throw invalid(number, `principal ${name}: patterns and negations are not taken, name every principal`);
    if (!PRINCIPAL.test(name)) throw invalid(number, "a principal is letters, digits and . _ @ + -");
  }
  if (new Set(list).size !== list.length) throw invalid(number, "a principal comes twice");
  return list;
}

function takeOptions(
  fields: readonly string[],
  number: number,
): { readonly namespaces: readonly string[] | null; readonly fields: readonly string[] } {
  const [first, ...rest] = fields;
  if (first === undefined || /^(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+$/.test(first)) return { namespaces: null, fields };
  if (/^cert-authority/i.test(first)) throw invalid(number, "cert-authority is not taken: list the keys themselves");
  if (/^valid-(?:after|before)/i.test(first))
    throw invalid(number, "valid-after and valid-before are not taken: use mooring:from=N and mooring:until=N, which name release serials");
  const match = /^namespaces="([^"]+)"$/i.exec(first);
  if (match === null) throw invalid(number, 'the only option taken is namespaces="…", alone and without spaces');
  const list = match[1]!.split(",");
  if (!list.every((name) => /^[a-z0-9][a-z0-9.@_-]*$/.test(name))) throw invalid(number, "namespaces are plain names, without patterns");
  return { namespaces: list, fields: rest };
}

function windowOf(comment: readonly string[], key: SshKey, number: number): Window {
  const given = new Map<string, string>();
  for (const token of comment) {
    if (!token.startsWith("mooring:")) continue;
    const [name, value, ...more] = token.slice("mooring:".length).split("=");
    if (name === undefined || value === undefined || more.length > 0 || !["from", "until", "touch"].includes(name))
      throw invalid(number, "mooring: takes from=N, until=N and touch=optional|required");
    if (given.has(name)) throw invalid(number, `mooring:${name} comes twice`);
    given.set(name, value);
  }
  const from = serialOf(given.get("from"), number) ?? 1;
  const until = serialOf(given.get("until"), number);
  if (until !== null && until < from) throw invalid(number, "mooring:until is before mooring:from");
  const isHardware = key.application !== null;
  const touch = given.get("touch") ?? (isHardware ? "required" : "optional");
  if (touch !== "optional" && touch !== "required") throw invalid(number, "mooring:touch is optional or required");
  if (touch === "required" && !isHardware) throw invalid(number, "mooring:touch=required needs a hardware key (sk-…)");
  return { from, until, touch };
}

function serialOf(text: string | undefined, number: number): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(Number(text))) throw invalid(number, "a serial is a whole number from 1");
  return Number(text);
}

function keyOn(text: string, number: number): SshKey {
  try {
    return parseKeyText(text);
  } catch (err) {
    if (err instanceof MooringError) throw invalid(number, err.why ?? "a key that cannot be read", err);
    throw err;
  }
}

function invalid(line: number, why: string, cause?: unknown): MooringError {
  return new MooringError("ALLOWED_SIGNERS_INVALID", `trust/allowed_signers:${line}`, { why, cause, have: line });
}
