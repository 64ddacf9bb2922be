import { canon, type Json, memberOf } from "#base/canonical/index.ts";
import type { RoleName, RoleRule, TrustSection } from "#schemas/wire/index.ts";
import { short } from "./details.ts";
import { byText } from "./diff.ts";
import type { AccessPart, AccessWords } from "./access.ts";

export type TrustChange = AccessWords & { readonly part: AccessPart };

const ROLES: readonly RoleName[] = ["root", "release", "access", "secrets"];

/** Whom the fleet trusts otherwise than before: roles and thresholds, keys, recipients, who may take machines out of use. Everything is a gain where
 *  nothing was before. Pure. */
export function trustChanges(before: TrustSection | null, after: TrustSection): readonly TrustChange[] {
  if (before !== null && canon(before) === canon(after)) return [];
  return [
    ...ROLES.flatMap((role) => roleChanges(role, before?.roles[role] ?? null, after.roles[role])),
    ...keyChanges(before, after),
    ...actionChanges(before, after),
    ...listChanges("the vault", "a signing key", "trust:vaultKeys", keysOf(before?.vaultKeys), keysOf(after.vaultKeys)),
    ...recipientChanges(before, after),
    ...limitChanges(before, after),
    ...otherChanges(before, after),
  ];
}

const WORDED = [
  "kind",
  "roles",
  "keys",
  "actions",
  "vaultKeys",
  "recipients",
  "leaseSeconds",
  "expiresSeconds",
  "trustedRoot",
  "runtimeIdentity",
];

/** A member that has no words of its own here still does not change unseen. */
function otherChanges(before: TrustSection | null, after: TrustSection): readonly TrustChange[] {
  const [old, now] = [before ?? {}, after] as unknown as readonly Readonly<Record<string, Json>>[];
  const names = [...new Set([...Object.keys(old!), ...Object.keys(now!)])].filter((name) => !WORDED.includes(name)).sort(byText);
  return names.flatMap((name) => {
    const [from, to] = [canon(old![name] ?? null), canon(now![name] ?? null)];
    return from === to
      ? []
      : [{ verb: "changes", who: "the fleet's trust", what: name, how: `${short(from)} → ${short(to)}`, part: `trust:${name}` }];
  });
}

function roleChanges(role: RoleName, old: RoleRule | null, now: RoleRule): readonly TrustChange[] {
  const part: AccessPart = `trust:roles.${role}`;
  const how = `${now.threshold} of ${now.principals.length} sign${now.touch === "required" ? ", with a hardware key" : ""}`;
  const left = (old?.principals ?? []).filter((name) => !now.principals.includes(name));
  const joined = now.principals.filter((name) => old?.principals.includes(name) !== true);
  const one = (verb: AccessWords["verb"], who: string, what: string, text: string): TrustChange => ({ verb, who, what, how: text, part });
  const rule = (what: string, from: string, to: string): readonly TrustChange[] =>
    old === null || from === to ? [] : [one("changes", `role ${role}`, what, `${from} → ${to}`)];
  return [
    ...joined.map((name) => one("gains", name, `role ${role}`, how)),
    ...left.map((name) => one("loses", name, `role ${role}`, "")),
    ...rule("its threshold", String(old?.threshold), String(now.threshold)),
    ...rule("touch of a hardware key", String(old?.touch), now.touch),
    ...rule("who signs for it", signsFor(old), signsFor(now)),
  ];
}

function signsFor(rule: RoleRule | null): string {
  if (rule === null || rule.identity === undefined) return rule?.by ?? "";
  return `${rule.by}: ${rule.identity.workflow} of ${rule.identity.repository} at ${rule.identity.ref}`;
}

/** Keys that sign for a principal; another window or touch rule of a key counts as another key would. */
function keyChanges(before: TrustSection | null, after: TrustSection): readonly TrustChange[] {
  const names = [...new Set([...Object.keys(before?.keys ?? {}), ...Object.keys(after.keys)])].sort(byText);
  return names.flatMap((name) => {
    const [old, now] = [memberOf(before?.keys ?? {}, name) ?? [], memberOf(after.keys, name) ?? []];
    const changed = now.filter((key) => old.some((item) => item.key === key.key && canon(item) !== canon(key)));
    const part: AccessPart = `trust:keys.${name}`;
    return [
      ...listChanges(name, "a release key", part, keysOf(old), keysOf(now)),
      ...changed.map(
        (key): TrustChange => ({ verb: "changes", who: name, what: "a release key", how: `${short(key.key)}: ${windowWords(key)}`, part }),
      ),
    ];
  });
}

function windowWords({ from, until, touch }: { readonly from: number; readonly until: number | null; readonly touch: string }): string {
  return `release ${from} ${until === null ? "on" : `to ${until}`}, touch ${touch}`;
}

function keysOf(list: readonly { readonly key: string }[] | undefined): readonly string[] {
  return (list ?? []).map(({ key }) => key);
}

function listChanges(who: string, what: string, part: AccessPart, old: readonly string[], now: readonly string[]): readonly TrustChange[] {
  return [
    ...now.filter((item) => !old.includes(item)).map((item): TrustChange => ({ verb: "gains", who, what, how: short(item), part })),
    ...old.filter((item) => !now.includes(item)).map((item): TrustChange => ({ verb: "loses", who, what, how: short(item), part })),
  ];
}

function actionChanges(before: TrustSection | null, after: TrustSection): readonly TrustChange[] {
  const rows = (trust: TrustSection | null): ReadonlyMap<string, string> =>
    new Map(
      (trust?.actions ?? []).flatMap(({ actions, principals, maxSeconds }) =>
        principals.flatMap((name) =>
          actions.map((action) => [`${name}\n${action}`, maxSeconds === null ? "" : `for ${maxSeconds} s at most`] as const),
        ),
      ),
    );
  const [old, now] = [rows(before), rows(after)];
  return [...new Set([...now.keys(), ...old.keys()])].sort(byText).flatMap((id): readonly TrustChange[] => {
    const [who = "", action = ""] = id.split("\n");
    const [from, to] = [old.get(id), now.get(id)];
    if (from === to) return [];
    const verb = from === undefined ? "gains" : to === undefined ? "loses" : "changes";
    const how = verb === "changes" ? `${from || "without limit"} → ${to || "without limit"}` : (to ?? "");
    return [{ verb, who, what: `action ${action}`, how, part: "trust:actions" }];
  });
}

/** Whoever holds the key of a recipient reads every secret that is added from now on. */
function recipientChanges(before: TrustSection | null, after: TrustSection): readonly TrustChange[] {
  const [old, now] = [before?.recipients ?? [], after.recipients ?? []];
  const what = "new versions of all secrets";
  const one =
    (verb: "gains" | "loses") =>
    (item: string): TrustChange => ({ verb, who: `recipient ${short(item)}`, what, how: "", part: "trust:recipients" });
  return [...now.filter((item) => !old.includes(item)).map(one("gains")), ...old.filter((item) => !now.includes(item)).map(one("loses"))];
}

function limitChanges(before: TrustSection | null, after: TrustSection): readonly TrustChange[] {
  if (before === null) return [];
  const one = (who: string, what: string, from: string, to: string, part: AccessPart): readonly TrustChange[] =>
    from === to ? [] : [{ verb: "changes", who, what, how: `${from} → ${to}`, part }];
  return [
    ...one("machines without a hub", "how long they open secrets", `${before.leaseSeconds} s`, `${after.leaseSeconds} s`, "trust:lease"),
    ...one("a release", "how long it may be applied", `${before.expiresSeconds} s`, `${after.expiresSeconds} s`, "trust:expires"),
    ...one(
      "keyless bundles",
      "sigstore's trusted root",
      short(before.trustedRoot ?? "none"),
      short(after.trustedRoot ?? "none"),
      "trust:bundles",
    ),
    ...one("mooring itself", "who may sign its builds", canon(before.runtimeIdentity), canon(after.runtimeIdentity), "trust:runtime"),
  ];
}
