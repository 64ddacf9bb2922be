import { canon, isJsonObject, type Json, type JsonObject, memberOf } from "#base/canonical/index.ts";
import { printable } from "#base/text/index.ts";
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
  return differ(before, after, path);
}

/** Undefined = there is no such member. */
function differ(before: Json | undefined, after: Json | undefined, path: string): readonly string[] {
  if (before !== undefined && after !== undefined) {
    if (canon(before) === canon(after)) return [];
    if (isJsonObject(before) && isJsonObject(after)) {
      const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(byText);
      return names.flatMap((name) =>
        differ(memberOf(before, name), memberOf(after, name), path === "" ? step(name) : `${path}.${step(name)}`),
      );
    }
    if (Array.isArray(before) && Array.isArray(after)) return listDifferences(before as readonly Json[], after as readonly Json[], path);
  }
  const [had, has] = pair(before, after);
  return [`${path}: ${had} → ${has}`];
}

/** A name that could be taken for a path, another line or another name stands in quotes. */
function step(name: string): string {
  return /^[\w+-][\w+/:-]*$|^[\w.+-]+@[\w.-]+$/.test(name) ? name : printable(JSON.stringify(name));
}

function listDifferences(before: readonly Json[], after: readonly Json[], path: string): readonly string[] {
  const [old, now] = [byName(before), byName(after)];
  if (old !== null && now !== null) {
    const lines = differ(old, now, path);
    return lines.length > 0 ? lines : [`${path}: another order`];
  }
  const [had, has] = [new Set(before.map(canon)), new Set(after.map(canon))];
  const lines = [
    ...before.filter((item) => !has.has(canon(item))).map((item) => `${path}: - ${text(item)}`),
    ...after.filter((item) => !had.has(canon(item))).map((item) => `${path}: + ${text(item)}`),
  ];
  return lines.length > 0 ? lines : [`${path}: another order`];
}

/** Things by their names (policies, freezes); null where some have none, or two the same. */
function byName(list: readonly Json[]): JsonObject | null {
  const names = list.map((item) => {
    if (!isJsonObject(item)) return null;
    const { name, metadata } = item;
    const own = name ?? (isJsonObject(metadata) ? metadata["name"] : undefined);
    return typeof own === "string" ? own : null;
  });
  const isNamed = !names.includes(null) && new Set(names).size === names.length;
  return isNamed ? (Object.fromEntries(list.map((item, i) => [names[i], item])) as JsonObject) : null;
}

/** Two values that begin alike are shown from where they part. */
function pair(before: Json | undefined, after: Json | undefined): readonly [string, string] {
  const [had, has] = [text(before), text(after)];
  if (before === undefined && after === null) return [had, "null"];
  if (before === null && after === undefined) return ["null", has];
  if (had !== has || typeof before !== "string" || typeof after !== "string") return [had, has];
  let same = 0;
  while (before[same] === after[same]) same++;
  const from = (value: string): string => `…${cut(printable(value.slice(Math.max(0, same - LEAD))))}`;
  return [from(before), from(after)];
}

const LEAD = 24;

function text(value: Json | undefined): string {
  if (value === undefined || value === null) return "none";
  return typeof value === "string" ? short(value) : cut(printable(canon(value)));
}

/** Digests and keys by their first characters: enough to compare by eye, the whole is in the file. */
export function short(value: string): string {
  const shown = printable(value);
  if (shown.startsWith("sha256:")) return `${shown.slice(0, 19)}…`;
  if (shown.startsWith("age1")) return `${shown.slice(0, 20)}…`;
  return cut(shown);
}

function cut(value: string): string {
  return value.length > MAX_CHARS ? `${value.slice(0, MAX_CHARS).toWellFormed()}…` : value;
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
