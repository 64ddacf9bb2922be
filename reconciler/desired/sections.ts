import { type Digest, type Json } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { HUB_PRINCIPAL } from "#proof/sshsig/index.ts";
import { bytesOf, instantOf, secondsOf } from "#schemas/fleet/index.ts";
import type {
  ActionRule,
  Delivery,
  GrantSection,
  IdentitySection,
  PluginId,
  PluginSection,
  RoleName,
  RoleRule,
  SecretRef,
  SecretSection,
  Section,
  TrustSection,
} from "#schemas/wire/index.ts";
import type { Merged } from "./baseline.ts";
import type { Loaded } from "./document.ts";
import { byText } from "./finding.ts";
import { lockPath } from "./lock.ts";
import type { FleetRepo } from "./repo.ts";
import { authorsDigest } from "./trust.ts";

// Each function gives one section with all defaults filled in and lists in one order, so that moving a line in a file changes no leaf.

export function trustSection({ fleet, trust }: FleetRepo): TrustSection {
  const { roles, actions, commits, lease, expires } = fleet.doc.spec.trust;
  return {
    kind: "trust",
    roles: {
      root: roleOf(roles.root),
      release: roleOf(roles.release),
      access: roleOf(roles.access),
      secrets: roleOf(roles.secrets),
    } satisfies Record<RoleName, RoleRule>,
    actions: actions.map(
      (rule): ActionRule => ({
        actions: sorted(rule.actions),
        principals: sorted(rule.principals),
        maxSeconds: rule.maxDuration === undefined ? null : secondsOf(rule.maxDuration),
      }),
    ),
    keys: trust.keys,
    trustedRoot: trust.trustedRoot,
    vaultKeys: trust.signers.vaultKeys,
    runtimeIdentity: null,
    leaseSeconds: secondsOf(lease),
    expiresSeconds: secondsOf(expires),
    ...(Object.values(roles).some(({ by }) => by === "hub") ? { authors: authorsDigest(commits.require, trust) } : {}),
    ...(trust.recipients.length === 0 ? {} : { recipients: trust.recipients }),
  };
}

type Roles = FleetRepo["fleet"]["doc"]["spec"]["trust"]["roles"];

function roleOf(role: Roles["root"] | Roles["release"]): RoleRule {
  const { by, principals, threshold, touch } = role;
  const identity = "identity" in role ? role.identity : undefined;
  const named = by === "hub" ? [HUB_PRINCIPAL] : sorted(principals);
  return { by, principals: named, threshold, touch, ...(identity === undefined ? {} : { identity }) };
}

/** `classes` is filled in by the resolver, which knows the machine's other sections. */
export function identitySection(machine: Loaded<"Machine">, classes: readonly string[]): IdentitySection {
  const { enclave, incarnation, mode } = machine.doc.spec;
  return { kind: "identity", incarnation, kx: enclave.kx, sig: enclave.sig, driver: enclave.driver, mode, classes };
}

/** agent, posture, openclaw, sshd and account sections of one set of baselines; none where no field is set. */
export function baselineSections({ fields }: Merged): readonly Section[] {
  const group = (name: string): Record<string, Json> | null => {
    const own = [...fields]
      .filter(([field]) => field.startsWith(`${name}.`))
      .map(([field, { value }]) => [field.slice(name.length + 1), value]);
    return own.length === 0 ? null : Object.fromEntries(own);
  };
  const sections: Section[] = [];
  const runtime = fields.get("runtime")?.value as { version: string; serial: number; digest: Digest; node?: Digest } | undefined;
  if (runtime !== undefined) {
    const { version, serial, digest, node } = runtime;
    sections.push({ kind: "agent", version, serial, bundle: digest, ...(node === undefined ? {} : { node }) });
  }
  const [checks, power, onViolation] = [
    group("posture"),
    group("power"),
    fields.get("onViolation")?.value as "warn" | "withhold-secrets" | undefined,
  ];
  if (checks !== null || power !== null || onViolation !== undefined)
    sections.push({ kind: "posture", checks: checks ?? {}, power: power ?? {}, onViolation: onViolation ?? "warn" });
  const openclaw = group("openclaw");
  if (openclaw !== null) {
    sections.push({
      kind: "openclaw",
      version: openclaw["version"] as string,
      bundle: openclaw["digest"] as Digest,
      config: group("openclaw.config") ?? {},
    });
  }
  const sshd = group("sshd");
  if (sshd !== null)
    sections.push({
      kind: "sshd",
      settings: Object.fromEntries(Object.entries(sshd).map(([name, value]) => [name, value === true ? "yes" : "no"])),
    });
  for (const account of Object.values(group("accounts") ?? {})) {
    const { name, exclusive, keys } = account as { name: string; exclusive: boolean; keys: readonly string[] };
    sections.push({ kind: "account", name, exclusive, keys });
  }
  return sections;
}

/** The plugin as a machine with override number `override` gets it (null = none). */
export function pluginSection(plugin: Loaded<"Plugin">, override: number | null, repo: Pick<FleetRepo, "keys" | "locks">): PluginSection {
  const { spec } = plugin.doc;
  const own = override === null ? undefined : spec.overrides[override];
  const version = own?.version ?? spec.version;
  const lock = repo.locks.get(lockPath(plugin.name, version, own?.version !== undefined));
  if (lock === undefined) throw new MooringError("FLEET_INVALID", `plugin ${plugin.name}: no lock`); // loadFleet has checked it
  return {
    kind: "plugin",
    name: plugin.name as PluginId,
    version,
    serial: lock.serial,
    bundle: (own?.digest ?? spec.digest) as Digest,
    signer: signerOf(plugin, repo),
    run: runOf(plugin),
    config: { ...spec.config, ...own?.config },
    network: sorted(spec.network.allow),
    drift: spec.drift,
  };
}

function signerOf(plugin: Loaded<"Plugin">, { keys }: Pick<FleetRepo, "keys">): Json {
  const { key, keyless } = plugin.doc.spec.verify;
  if (keyless !== undefined) return { keyless };
  const spki = key === undefined ? undefined : keys.get(key);
  if (spki === undefined) throw new MooringError("FLEET_INVALID", `plugin ${plugin.name}: no key`); // loadFleet has checked it
  return { key: spki };
}

/** RunSpec and what else the machine needs to run the plugin. Members beyond mode and restart are left out at their defaults. */
function runOf(plugin: Loaded<"Plugin">): Json {
  const { run, dependsOn, assets, allowDowngradeTo } = plugin.doc.spec;
  const { mode, restart, health, limits, state, session } = run;
  const extra: [string, Json][] = [];
  if (dependsOn.length > 0) extra.push(["dependsOn", sorted(dependsOn)]);
  if (health !== undefined) extra.push(["health", { http: health.http, timeoutSeconds: secondsOf(health.timeout) }]);
  if (limits !== undefined) extra.push(["limits", limitsOf(limits)]);
  if (state !== undefined)
    extra.push(["state", { keep: state.keep, maxBytes: state.maxSize === undefined ? null : bytesOf(state.maxSize) }]);
  if (session !== "none") extra.push(["session", session]);
  if (assets.length > 0)
    extra.push(["assets", assets.map((item) => ({ ...item, size: bytesOf(item.size) })).sort((a, b) => byText(a.name, b.name))]);
  if (allowDowngradeTo !== undefined)
    extra.push(["allowDowngradeTo", { version: allowDowngradeTo.version, expires: instantOf(allowDowngradeTo.expires) }]);
  return { mode, restart, ...Object.fromEntries(extra) };
}

type Limits = NonNullable<Loaded<"Plugin">["doc"]["spec"]["run"]["limits"]>;

function limitsOf(limits: Limits): Json {
  return {
    memoryBytes: limits.memory === undefined ? null : bytesOf(limits.memory),
    cpuPercent: limits.cpuPercent ?? null,
    processes: limits.processes ?? null,
  };
}

/** Entry `i` of a grant on a machine; `key` is the digest of its kx text. */
export function grantSection(grant: Loaded<"SecretGrant">, i: number, key: Digest): GrantSection {
  const { plugin, secrets, expires } = grant.doc.spec;
  const entry = secrets[i]!;
  return {
    kind: "grant",
    name: grantName(grant, i),
    grant: {
      subject: (plugin ?? "gateway") as PluginId,
      ref: entry.ref as SecretRef,
      delivery: deliveryOf(entry),
      expires: expires === undefined ? null : instantOf(expires),
    },
    key,
  };
}

/** `<grant>/<team>/<secret>`: readable, and stable when entries of the list move. */
export function grantName(grant: Loaded<"SecretGrant">, i: number): string {
  return `${grant.name}/${nameOfRef(grant.doc.spec.secrets[i]!.ref)}`;
}

function deliveryOf(entry: Loaded<"SecretGrant">["doc"]["spec"]["secrets"][number]): Delivery {
  if (entry.delivery !== "egress") return { mode: entry.delivery };
  return { mode: "egress", hosts: sorted(entry.hosts ?? []), header: entry.header ?? "" };
}

/** The current version of a secret. */
export function secretSection(secret: Loaded<"Secret">): SecretSection {
  const { current, versions } = secret.doc.spec;
  return { kind: "secret", name: secret.name, version: current, file: versions[current]!.digest as Digest };
}

export function nameOfRef(ref: string): string {
  return ref.slice("secret://".length);
}

function sorted<T extends string>(list: readonly T[]): readonly T[] {
  return [...list].sort();
}
