import { canon, isJsonObject, type Json } from "#base/canonical/index.ts";
import type { Grant, GrantSection, Section } from "#schemas/wire/index.ts";
import { byText } from "./diff.ts";

const MAX_CHARS = 72;

/** What changes from one section to the other, a line each, for people. Values of secrets never get here: a section has none, and what
 *  stands for them is `***`. */
export function detailsOf(before: Section | null, after: Section | null): readonly string[] {
  if (before?.kind === "secret" || after?.kind === "secret") return secretDetails(before, after);
  if (after?.kind === "grant" && before === null) return [grantWords(after.grant)];
  if (before?.kind === "grant" && after === null) return [grantWords(before.grant)];
  if (before === null || after === null) return headline(before ?? after);
  return differences(before, after, "");
}

function secretDetails(before: Section | null, after: Section | null): readonly string[] {
  const version = (section: Section | null): string => (section?.kind === "secret" ? String(section.version) : "none");
  const hidden = [...(before === null ? [] : ["*** (before)"]), ...(after === null ? [] : ["*** (after)"])];
  return [`value: ${hidden.join(" → ")}`, `version: ${version(before)} → ${version(after)}`];
}

/** A grant in words. */
export function grantWords(grant: Grant): string {
  const who = grant.subject === "gateway" ? "OpenClaw's gateway" : `plugin ${grant.subject}`;
  const until = grant.expires === null ? "without end" : `until ${grant.expires}`;
  return `${who} may use ${grant.ref} by ${deliveryWords(grant)}, ${until}`;
}

/** "by egress to api.openai.com (authorization)". */
export function deliveryShort(delivery: Grant["delivery"]): string {
  return delivery.mode === "egress" ? `by egress to ${delivery.hosts.join(", ")} (${delivery.header})` : `by ${delivery.mode}`;
}

/** "until 2027-01-01": a whole day is written as one. */
export function untilWords(expires: Grant["expires"]): string {
  return expires === null ? "without end" : `until ${expires.replace("T00:00:00.000Z", "")}`;
}

function deliveryWords({ delivery }: Grant): string {
  switch (delivery.mode) {
    case "fd":
      return "fd (it holds the value)";
    case "resolve":
      return "resolve (the gateway holds the value)";
    case "egress":
      return `egress (${delivery.header} to ${delivery.hosts.join(", ")})`;
    default:
      return delivery satisfies never;
  }
}

function headline(section: Section | null): readonly string[] {
  if (section === null) return [];
  switch (section.kind) {
    case "plugin":
      return [`version: ${section.version}`, `bundle: ${short(section.bundle)}`];
    case "account":
      return [`${section.keys.length} keys may log in as ${section.name}${section.exclusive ? ", no others" : ""}`];
    case "agent":
    case "openclaw":
      return [`version: ${section.version}`, `bundle: ${short(section.bundle)}`];
    case "identity":
      return [`key: ${short(section.kx)}`, `mode: ${section.mode}`];
    case "trust":
    case "posture":
    case "sshd":
    case "grant":
    case "revoked":
    case "secret":
      return [];
    default:
      return section satisfies never;
  }
}

/** Each place where two values differ, a line each: `path: before → after`, or what left and joined a list. Pure. */
export function differences(before: Json, after: Json, path: string): readonly string[] {
  if (canon(before) === canon(after)) return [];
  if (isJsonObject(before) && isJsonObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(byText);
    return names.flatMap((name) => differences(before[name] ?? null, after[name] ?? null, path === "" ? name : `${path}.${name}`));
  }
  if (Array.isArray(before) && Array.isArray(after)) return listDifferences(before as readonly Json[], after as readonly Json[], path);
  return [`${path}: ${text(before)} → ${text(after)}`];
}

function listDifferences(before: readonly Json[], after: readonly Json[], path: string): readonly string[] {
  const [had, has] = [new Set(before.map(canon)), new Set(after.map(canon))];
  const lines = [
    ...before.filter((item) => !has.has(canon(item))).map((item) => `${path}: - ${text(item)}`),
    ...after.filter((item) => !had.has(canon(item))).map((item) => `${path}: + ${text(item)}`),
  ];
  return lines.length > 0 ? lines : [`${path}: another order`];
}

function text(value: Json): string {
  return value === null ? "none" : typeof value === "string" ? short(value) : cut(canon(value));
}

/** Digests and keys by their first characters: enough to compare by eye, the whole is in the file. */
export function short(value: string): string {
  const printable = value.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, "?");
  if (printable.startsWith("sha256:")) return `${printable.slice(0, 19)}…`;
  if (printable.startsWith("age1")) return `${printable.slice(0, 20)}…`;
  return cut(printable);
}

function cut(value: string): string {
  return value.length > MAX_CHARS ? `${value.slice(0, MAX_CHARS)}…` : value;
}

/** Whether a change of a grant is more than its key, and in words what is new about access; empty when it only narrows. */
export function accessWords(before: Section | null, after: Section | null): readonly string[] {
  if (after?.kind === "grant") return grantAccess(before?.kind === "grant" ? before : null, after);
  if (after?.kind === "account") {
    const had = new Set(before?.kind === "account" ? before.keys : []);
    const added = after.keys.filter((key) => !had.has(key)).length;
    const opened = before?.kind === "account" && before.exclusive && !after.exclusive;
    return [
      ...(added > 0 ? [`${added} more keys may log in as ${after.name}`] : []),
      ...(opened ? [`keys that are not listed may log in as ${after.name}`] : []),
    ];
  }
  if (after?.kind === "sshd" || before?.kind === "sshd") return ["how sshd lets people in changes"];
  return [];
}

function grantAccess(before: GrantSection | null, after: GrantSection): readonly string[] {
  if (before === null) return [grantWords(after.grant)];
  const isSame = canon(before.grant) === canon(after.grant);
  const key =
    before.key === after.key ? [] : [`another machine key may open ${after.grant.ref} (${short(before.key)} → ${short(after.key)})`];
  return [...key, ...(isSame ? [] : [`${grantWords(after.grant)}; before: ${grantWords(before.grant)}`])];
}
