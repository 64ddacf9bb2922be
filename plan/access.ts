import { canon, type Json } from "#base/canonical/index.ts";
import type {
  AccountSection,
  AgentSection,
  GrantSection,
  MachineId,
  OpenclawSection,
  PluginSection,
  Section,
  SshdSection,
  Step,
  TrustSection,
} from "#schemas/wire/index.ts";
import { byText, type Desired } from "./diff.ts";
import { short, deliveryShort, untilWords } from "./details.ts";
import type { FleetOutcome } from "./fleet.ts";
import { trustChanges } from "./trust-words.ts";

/** A sentence without its machines: "plugin mail-triage", gains, "secret://team/db", "by fd, until 2027-01-01". */
export type AccessWords = {
  readonly verb: "gains" | "loses" | "changes";
  readonly who: string;
  readonly what: string;
  readonly how: string;
};

/** The sentence, the machines it is true of (none = of the whole fleet: trust), and where to look for the lines behind it: a section's key and the part of it that counts. */
export type AccessEffect = AccessWords & {
  readonly machines: readonly MachineId[];
  readonly key: string;
  readonly part: AccessPart;
};

/** Which part of a section changed: a line of the repo is looked for by it. For trust it is a path below the section, like `roles.access`. */
export type AccessPart = "grant" | "key" | "bundle" | "signer" | "network" | "keys" | "settings" | `trust:${string}`;

const ORDER = { gains: 0, changes: 1, loses: 2 } as const;

/** Every way in which `head` gives, takes or changes access against `base`: grants and the labels they follow, machines' keys, what runs under a grant and
 *  who may sign it, logins, networks, and whom the fleet trusts. Gains first, then changes, then losses; by who and what. Pure. */
export function accessEffects(
  base: AccessSide | null,
  head: AccessSide,
  steps: ReadonlyMap<MachineId, readonly Step[]>,
): readonly AccessEffect[] {
  const found: Found = new Map();
  for (const [machine, own] of steps) {
    const [before, after] = [sections(base?.machines.get(machine)), sections(head.machines.get(machine))];
    for (const step of own) for (const item of changesOf(step, before, after)) add(found, machine, item);
  }
  const trust = trustChanges(base?.trust ?? null, head.trust);
  const all = [...found.values(), ...trust.map((item) => ({ ...item, key: "trust", machines: [] }))];
  return all.toSorted((a, b) => ORDER[a.verb] - ORDER[b.verb] || byText(a.who, b.who) || byText(a.what, b.what) || byText(a.how, b.how));
}

/** What effects are read from: an outcome and its one trust section. */
export type AccessSide = Pick<FleetOutcome, "machines"> & { readonly trust: TrustSection };

type Found = Map<string, AccessEffect & { readonly machines: MachineId[] }>;
type Change = Omit<AccessEffect, "machines">;
type Sections = ReadonlyMap<string, Section>;

function add(found: Found, machine: MachineId, item: Change): void {
  const id = `${item.key}\n${item.verb}\n${item.who}\n${item.what}\n${item.how}`;
  const known = found.get(id);
  if (known === undefined) found.set(id, { ...item, machines: [machine] });
  else known.machines.push(machine);
}

function sections(desired: Desired | undefined): Sections {
  return new Map((desired?.index ?? []).map(([key], i) => [key, desired!.sections[i]!]));
}

function changesOf({ key }: Step, before: Sections, after: Sections): readonly Change[] {
  const [old, now] = [before.get(key), after.get(key)];
  const kind = (now ?? old)?.kind; // of a key both are of one kind
  if (kind === "grant") return grantChanges(key, old as GrantSection | undefined, now as GrantSection | undefined, after);
  if (kind === "account") return accountChanges(key, old as AccountSection | undefined, now as AccountSection | undefined);
  if (kind === "sshd") return sshdChanges(key, old as SshdSection | undefined, now as SshdSection | undefined);
  if (kind === "plugin") return pluginChanges(key, old as PluginSection | undefined, now as PluginSection | undefined, { before, after });
  if (kind === "openclaw")
    return openclawChanges(key, old as OpenclawSection | undefined, now as OpenclawSection | undefined, { before, after });
  if (kind === "agent") return agentChanges(key, old as AgentSection | undefined, now as AgentSection | undefined);
  return []; // trust is one for the whole fleet; the rest gives nobody access
}

function grantChanges(key: string, old: GrantSection | undefined, now: GrantSection | undefined, after: Sections): readonly Change[] {
  const { grant } = (now ?? old)!;
  const who = grant.subject === "gateway" ? "OpenClaw's gateway" : `plugin ${grant.subject}`;
  const how = ({ grant: { delivery, expires } }: GrantSection): string => `${deliveryShort(delivery)}, ${untilWords(expires)}`;
  const one = (verb: AccessWords["verb"], text: string, part: AccessPart): Change => ({ verb, who, what: grant.ref, how: text, key, part });
  if (old === undefined) return [one("gains", how(now!), "grant")];
  if (now === undefined) {
    const other = [...after].find(([own, item]) => own !== key && item.kind === "grant" && isSameAccess(item, old))?.[0];
    return [
      other === undefined
        ? one("loses", how(old), "grant")
        : one("changes", `${how(old)}: this grant goes, ${other} still gives it`, "grant"),
    ];
  }
  if (old.grant.subject !== now.grant.subject || old.grant.ref !== now.grant.ref)
    return [...grantChanges(key, old, undefined, after), ...grantChanges(key, undefined, now, after)];
  return [
    ...(canon(old.grant) === canon(now.grant) ? [] : [one("changes", `${how(now)}; before: ${how(old)}`, "grant")]),
    ...(old.key === now.key ? [] : [one("changes", `opened by another machine key: ${short(old.key)} → ${short(now.key)}`, "key")]),
  ];
}

function isSameAccess({ grant: a }: GrantSection, { grant: b }: GrantSection): boolean {
  return a.subject === b.subject && a.ref === b.ref;
}

function accountChanges(key: string, old: AccountSection | undefined, now: AccountSection | undefined): readonly Change[] {
  const who = `account ${(now ?? old)!.name}`;
  const [had, has] = [new Set(old?.keys), new Set(now?.keys)];
  const joined = [...has].filter((item) => !had.has(item)).length;
  const left = [...had].filter((item) => !has.has(item)).length;
  const keys = (count: number): string => `${count} login ${count === 1 ? "key" : "keys"}`;
  const one = (verb: AccessWords["verb"], what: string): Change => ({ verb, who, what, how: "", key, part: "keys" });
  // Without `exclusive`, or without a word of ours about the account, whatever keys lie there count.
  const [wasClosed, isClosed] = [old?.exclusive === true, now?.exclusive === true];
  return [
    ...(joined > 0 ? [one("gains", keys(joined))] : []),
    ...(wasClosed && !isClosed ? [one("gains", "keys that are not listed")] : []),
    ...(left > 0 ? [one("loses", keys(left))] : []),
    ...(isClosed && !wasClosed ? [one("loses", "keys that are not listed")] : []),
  ];
}

/** The value of each setting that lets more people in. */
const OPEN: Readonly<Record<string, { readonly value: string; readonly what: string }>> = {
  passwordAuthentication: { value: "yes", what: "logins with a password" },
  permitRootLogin: { value: "yes", what: "logins as root" },
  requireSecurityKeys: { value: "no", what: "logins without a hardware key" },
};

function sshdChanges(key: string, old: SshdSection | undefined, now: SshdSection | undefined): readonly Change[] {
  const names = [...new Set([...Object.keys(old?.settings ?? {}), ...Object.keys(now?.settings ?? {})])].sort(byText);
  return names.flatMap((name): readonly Change[] => {
    const [before, after] = [old?.settings[name] ?? "as the system has it", now?.settings[name] ?? "as the system has it"];
    if (before === after) return [];
    const open = OPEN[name];
    const verb = open === undefined ? "changes" : after === open.value ? "gains" : before === open.value ? "loses" : "changes";
    return [
      { verb, who: "sshd", what: verb === "changes" ? name : open!.what, how: `${name}: ${before} → ${after}`, key, part: "settings" },
    ];
  });
}

type Sides = { readonly before: Sections; readonly after: Sections };

/** Networks it may reach, who may sign it, and, where a grant stays, that something else runs under it. */
function pluginChanges(key: string, old: PluginSection | undefined, now: PluginSection | undefined, sides: Sides): readonly Change[] {
  const who = `plugin ${(now ?? old)!.name}`;
  const one = (verb: AccessWords["verb"], what: string, how: string, part: AccessPart): Change => ({ verb, who, what, how, key, part });
  const [had, has] = [new Set(old?.network), new Set(now?.network)];
  const reach = [
    ...[...has].filter((host) => !had.has(host)).map((host) => one("gains", `network ${host}`, "", "network")),
    ...[...had].filter((host) => !has.has(host)).map((host) => one("loses", `network ${host}`, "", "network")),
  ];
  if (old === undefined || now === undefined) return reach;
  const refs = keptRefs(now.name, sides).join(", ");
  const bundle =
    old.bundle !== now.bundle && refs !== ""
      ? [
          one(
            "changes",
            refs,
            `another bundle uses it: ${old.version} (${short(old.bundle)}) → ${now.version} (${short(now.bundle)})`,
            "bundle",
          ),
        ]
      : [];
  const signer =
    canon(old.signer) === canon(now.signer)
      ? []
      : [
          one(
            "changes",
            "who may sign it",
            `${signerWords(old.signer)} → ${signerWords(now.signer)}${refs === "" ? "" : `; it may use ${refs}`}`,
            "signer",
          ),
        ];
  return [...reach, ...signer, ...bundle];
}

/** The gateway holds what it is granted, so another OpenClaw does then. */
function openclawChanges(key: string, old: OpenclawSection | undefined, now: OpenclawSection | undefined, sides: Sides): readonly Change[] {
  if (old === undefined || now === undefined || old.bundle === now.bundle) return [];
  const refs = keptRefs("gateway", sides).join(", ");
  const how = `another bundle uses it: ${old.version} (${short(old.bundle)}) → ${now.version} (${short(now.bundle)})`;
  return refs === "" ? [] : [{ verb: "changes", who: "OpenClaw's gateway", what: refs, how, key, part: "bundle" }];
}

/** Whatever a machine may use goes through its agent. */
function agentChanges(key: string, old: AgentSection | undefined, now: AgentSection | undefined): readonly Change[] {
  const build = (item: AgentSection | undefined): string =>
    item === undefined ? "as it was enrolled" : `${item.version} (${short(item.bundle)})`;
  if (build(old) === build(now) && old?.node === now?.node) return [];
  return [{ verb: "changes", who: "the agent", what: "its build", how: `${build(old)} → ${build(now)}`, key, part: "bundle" }];
}

function keptRefs(name: string, { before, after }: Sides): readonly string[] {
  const kept = [...after].flatMap(([key, item]) =>
    item.kind === "grant" && item.grant.subject === name && before.has(key) ? [item.grant.ref] : [],
  );
  return [...new Set<string>(kept)].sort(byText);
}

function signerWords(signer: Json): string {
  const { key, keyless } = signer as { readonly key?: string; readonly keyless?: Readonly<Record<string, string>> };
  if (key !== undefined) return `key ${short(key)}`;
  return `workflow ${keyless?.["workflow"] ?? ""} of ${keyless?.["repository"] ?? ""} at ${keyless?.["ref"] ?? ""}`;
}
