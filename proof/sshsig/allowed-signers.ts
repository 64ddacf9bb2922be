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
  /** When a key that only signs commits counts, per key text: git holds it against the committer's time, both ends included. Seconds since 1970. */
  readonly times: ReadonlyMap<string, CommitTimes>;
};

export type CommitTimes = { readonly after: number | null; readonly before: number | null };

/** The principal whose keys are the vault's; such a line MUST say namespaces="mooring-secrets". */
export const VAULT_PRINCIPAL = "vault";

/** The principal whose keys are the hub's, for roles that are `by: hub`. */
export const HUB_PRINCIPAL = "hub";

const HUB_NAMESPACES = "mooring-release,mooring-secrets";
const PRINCIPAL = /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/;
const PATTERN = /^[A-Za-z0-9*?][A-Za-z0-9._@+*?-]*$/;
const MAX_CHARS = 262_144;

type Line = {
  readonly principals: readonly string[];
  readonly options: Options;
  readonly key: SshKey;
  readonly window: Window;
};
type Options = { readonly namespaces: readonly string[] | null; readonly times: CommitTimes };
type Window = { readonly from: number; readonly until: number | null; readonly touch: "optional" | "required" };

/** Reads OpenSSH's allowed_signers, strictly, plus our comment tokens `mooring:from=N`, `mooring:until=N`, `mooring:touch=optional|required`.
 *  Times and patterns of principals are taken where a key is for commits alone (namespaces="git"); what it cannot honour (cert-authority, patterns and
 *  times for releases, negations) throws ALLOWED_SIGNERS_INVALID naming the line. Principals come out sorted. */
export function parseAllowedSigners(text: string): AllowedSigners {
  if (text.length > MAX_CHARS) throw invalid(1, "more than 256 KiB");
  const keys = new Map<string, PrincipalKey[]>();
  const vaultKeys: VaultKey[] = [];
  const namespaces = new Map<string, readonly string[] | null>();
  const times = new Map<string, CommitTimes>();
  const seen = new Map<string, number>();
  for (const [i, raw] of text.split("\n").entries()) {
    const line = parseLine(raw.endsWith("\r") ? raw.slice(0, -1) : raw, i + 1);
    if (line === null) continue;
    for (const principal of line.principals) {
      const id = `${principal} ${line.key.text}`;
      if (seen.has(id)) throw invalid(i + 1, `the same key of ${principal} is already on line ${seen.get(id)}`);
      seen.set(id, i + 1);
    }
    const { text } = line.key;
    const before = namespaces.get(text);
    if (before !== undefined && before?.join() !== line.options.namespaces?.join())
      throw invalid(i + 1, "the same key has other namespaces on another line");
    const { after, before: until } = line.options.times;
    if (before !== undefined && (times.get(text)?.after !== after || times.get(text)?.before !== until))
      throw invalid(i + 1, "the same key has other times on another line");
    namespaces.set(text, line.options.namespaces);
    times.set(text, line.options.times);
    addLine(line, i + 1, keys, vaultKeys);
  }
  for (const [key, { after, before }] of times) if (after === null && before === null) times.delete(key);
  return { keys: Object.fromEntries([...keys].sort(([a], [b]) => (a < b ? -1 : 1))), vaultKeys, namespaces, times };
}

function addLine(line: Line, number: number, keys: Map<string, PrincipalKey[]>, vaultKeys: VaultKey[]): void {
  const { from, until, touch } = line.window;
  if (line.principals.includes(VAULT_PRINCIPAL)) {
    if (line.principals.length > 1) throw invalid(number, "the vault's key can belong to nobody else");
    if (line.options.namespaces?.join() !== "mooring-secrets") throw invalid(number, 'a vault key needs namespaces="mooring-secrets"');
    if (line.key.type !== "ssh-ed25519") throw invalid(number, "a vault key must be ssh-ed25519");
    vaultKeys.push({ key: line.key.text, from, until });
    return;
  }
  if (line.principals.includes(HUB_PRINCIPAL)) {
    if (line.principals.length > 1) throw invalid(number, "the hub's key can belong to nobody else");
    if (line.key.type !== "ssh-ed25519") throw invalid(number, "a hub key must be ssh-ed25519");
    if (line.options.namespaces?.join() !== HUB_NAMESPACES) throw invalid(number, `a hub key needs namespaces="${HUB_NAMESPACES}"`);
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
  const { options, fields } = takeOptions(afterNames, number);
  const [type, base64, ...comment] = fields;
  if (type === undefined || base64 === undefined) throw invalid(number, "a line is: principals, options, key type, key");
  const key = keyOn(`${type} ${base64}`, number);
  return { principals: principalsOf(names!, options, number), options, key, window: windowOf(comment, key, number) };
}

/** A pattern names whoever git shows as the signer of a commit; who signs a release has a name. */
function principalsOf(names: string, { namespaces }: Options, number: number): string[] {
  const list = names.split(",");
  for (const name of list) {
    if (name.includes("!")) throw invalid(number, `principal ${name}: negations are not taken, name every principal`);
    const isPattern = /[*?]/.test(name);
    if (isPattern && namespaces?.join() !== "git")
      throw invalid(number, `principal ${name}: a pattern is taken only for keys with namespaces="git"; name every principal`);
    if (isPattern && PATTERN.test(name)) continue;
    if (!PRINCIPAL.test(name)) throw invalid(number, "a principal is letters, digits and . _ @ + -");
  }
  if (new Set(list).size !== list.length) throw invalid(number, "a principal comes twice");
  return list;
}

function takeOptions(fields: readonly string[], number: number): { readonly options: Options; readonly fields: readonly string[] } {
  const [first, ...rest] = fields;
  if (first === undefined || /^(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+$/.test(first)) return { options: NONE, fields };
  return { options: optionsOf(first, number), fields: rest };
}

const NONE: Options = { namespaces: null, times: { after: null, before: null } };
const OPTION = /^(namespaces|valid-after|valid-before)="([^"]+)"(?:,(?=.)|$)/i;

/** OpenSSH's options, joined by commas: names in any case, each once, each with a value. */
function optionsOf(text: string, number: number): Options {
  const given = new Map<string, string>();
  for (let left = text; left !== ""; ) {
    if (/^cert-authority/i.test(left)) throw invalid(number, "cert-authority is not taken: list the keys themselves");
    const match = OPTION.exec(left);
    const [whole = "", name = "", value = ""] = match ?? [];
    if (match === null)
      throw invalid(number, 'options are namespaces="…", valid-after="…" and valid-before="…", joined by commas, without spaces');
    if (given.has(name.toLowerCase())) throw invalid(number, `${name.toLowerCase()} comes twice`);
    given.set(name.toLowerCase(), value);
    left = left.slice(whole.length);
  }
  const namespaces = given.get("namespaces")?.split(",") ?? null;
  if (namespaces?.every((name) => /^[a-z0-9][a-z0-9.@_-]*$/.test(name)) === false)
    throw invalid(number, "namespaces are plain names, without patterns");
  const times = { after: timeOf(given.get("valid-after"), number), before: timeOf(given.get("valid-before"), number) };
  if (times.after !== null && times.before !== null && times.before <= times.after)
    throw invalid(number, "valid-before is not after valid-after");
  if ((times.after !== null || times.before !== null) && namespaces?.join() !== "git")
    throw invalid(
      number,
      'times are taken only for keys with namespaces="git"; for releases mooring:from=N and mooring:until=N name serials',
    );
  return { namespaces, times };
}

/** YYYYMMDD[HHMM[SS]]Z in seconds. Without Z it would be the time zone of whoever looks. */
function timeOf(text: string | undefined, number: number): number | null {
  if (text === undefined) return null;
  const [, year, month, day, hour = "00", minute = "00", second = "00"] = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?Z$/.exec(text) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (year === undefined || Number.isNaN(at) || new Date(at).getUTCDate() !== Number(day))
    throw invalid(number, "a time is written YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS with a Z behind it");
  return at / 1000;
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
