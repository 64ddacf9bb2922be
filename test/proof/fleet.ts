import { canonBytes, type Digest, digestOf, type Json } from "#base/canonical/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import {
  type AcceptInput,
  buildProof,
  composeRelease,
  composeSecretsRelease,
  type KnownRelease,
  parseTrust,
  readKnown,
  readSecrets,
  RELEASE_NAMESPACE,
  SECRETS_NAMESPACE,
  type SignedSecrets,
  type Stored,
  type Trust,
} from "#proof/release/index.ts";
import { type AnySection, classOfKind, type FleetTrees, fleetTrees, indexOf, keyOf, type ReleaseClass } from "#proof/root/index.ts";
import type { ReleaseProof, RoleName, RoleRule } from "#schemas/wire/index.ts";
import { fileSigner, type TestSigner } from "./signer.ts";

export const FLEET = "acme";
export const NOW: Time = timeOf(Date.UTC(2026, 10, 25, 12));
const ISSUED = timeOf(Date.UTC(2026, 10, 25));
const EXPIRES = timeOf(Date.UTC(2027, 1, 25));

/** Who may sign what in a test fleet. */
export type Roles = Readonly<Record<RoleName, Pick<RoleRule, "principals" | "threshold"> & Partial<RoleRule>>>;

/** Canonical bytes of a trust section over the keys of `people`. */
export function trustBytes(
  people: ReadonlyMap<string, TestSigner>,
  roles: Roles,
  extra: Readonly<Record<string, unknown>> = {},
): Uint8Array {
  const rule = (role: RoleName) => ({ by: "people", touch: "optional", ...roles[role] });
  const keys = [...people].map(([name, signer]) => [name, [{ key: signer.key, touch: "optional", from: 1, until: null }]] as const);
  return canonBytes({
    kind: "trust",
    roles: { root: rule("root"), release: rule("release"), access: rule("access"), secrets: rule("secrets") },
    actions: [],
    keys: Object.fromEntries(keys),
    trustedRoot: null,
    vaultKeys: [],
    runtimeIdentity: null,
    leaseSeconds: 3600,
    expiresSeconds: 7_776_000,
    ...extra,
  });
}

/** A fleet with people who sign: change `machines` (name → sections but trust and identity) or `trust`, then `release`. */
export class TestFleet {
  readonly people = new Map<string, TestSigner>();
  readonly machines = new Map<string, readonly AnySection[]>();
  readonly releases: KnownRelease[] = [];
  trust: Trust;
  roles: Roles;
  secrets: SignedSecrets | null = null;
  trees: FleetTrees = fleetTrees(FLEET, new Map());

  constructor(roles: Roles, names: readonly string[]) {
    for (const name of names) this.people.set(name, fileSigner());
    this.roles = roles;
    this.trust = parseTrust(trustBytes(this.people, roles));
  }

  get head(): KnownRelease {
    return this.releases.at(-1)!;
  }

  setTrust(roles: Roles, extra: Readonly<Record<string, unknown>> = {}): void {
    this.roles = roles;
    this.trust = parseTrust(trustBytes(this.people, roles, extra));
  }

  /** Makes the next release of the present state and lets `signers` sign it. */
  release(signers: readonly string[], options: { readonly reattest?: readonly ReleaseClass[] } = {}): KnownRelease {
    this.trees = fleetTrees(FLEET, new Map([...this.machines.keys()].map((machine) => [machine, indexOf(this.sectionsOf(machine))])));
    const prev = this.releases.at(-1)?.release ?? null;
    const bytes = composeRelease({
      fleet: FLEET,
      prev,
      resolver: 1,
      roots: this.trees.roots,
      trustLeaf: this.trust.leaf,
      lifts: [],
      issued: ISSUED,
      expires: EXPIRES,
      ...options,
    });
    const known = this.signed(bytes, signers);
    this.releases.push(known);
    return known;
  }

  signed(bytes: Uint8Array, signers: readonly string[]): KnownRelease {
    return readKnown(
      { bytes, sigs: signers.map((name) => this.people.get(name)!.sign(bytes, RELEASE_NAMESPACE)), trust: this.trust.bytes },
      FLEET,
    );
  }

  releaseSecrets(signers: readonly string[]): void {
    const bytes = composeSecretsRelease({
      fleet: FLEET,
      prev: this.secrets,
      secrets: this.trees.roots.secrets,
      issued: ISSUED,
      expires: EXPIRES,
    });
    this.secrets = readSecrets(
      bytes,
      signers.map((name) => this.people.get(name)!.sign(bytes, SECRETS_NAMESPACE)),
      FLEET,
    );
  }

  /** All sections of one machine, with its identity and the trust section. */
  sectionsOf(machine: string): AnySection[] {
    const own = this.machines.get(machine)!;
    const kx = kxOf(machine);
    const classes = [...new Set(["machines", ...own.map((section) => classOfKind(section.kind))])].sort();
    const identity = { kind: "identity", incarnation: 1, kx, sig: "c2ln", driver: "software", mode: "manage", classes };
    return [...own, identity, this.trust.section];
  }

  desiredOf(machine: string): Uint8Array {
    const sections = this.sectionsOf(machine).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return canonBytes({ v: 1, fleet: FLEET, machine, sections });
  }

  proofFor(machine: string, stored: Stored | null, pin: Digest): ReleaseProof {
    const holds = stored === null ? { pin } : { trust: stored.trust.leaf, serial: stored.serial };
    return buildProof({ machine, head: this.head, releases: this.releases, trees: this.trees, holds, secrets: this.secrets });
  }

  /** What `acceptRelease` takes on that machine now. */
  inputFor(machine: string, stored: Stored | null, pin: Digest): AcceptInput {
    return {
      now: NOW,
      fleet: FLEET,
      machine,
      stored,
      pins: { trust: pin },
      desired: this.desiredOf(machine),
      proof: this.proofFor(machine, stored, pin),
    };
  }
}

export function kxOf(machine: string): string {
  return `age1tag1${machine}`;
}

/** A plugin section of a version. */
export function pluginSection(name: string, version: number): AnySection {
  return {
    kind: "plugin",
    name,
    version: `1.${version}.0`,
    serial: version,
    bundle: digestOf(`${name} ${version}`),
    signer: {},
    run: {},
    config: {},
    network: [],
    drift: "correct",
  };
}

export function grantSection(machine: string, name: string, plugin: string, note = ""): AnySection {
  const grant: Json = {
    subject: plugin,
    ref: `secret://team/${name}`,
    delivery: { mode: "egress", hosts: [`api${note}.example.net`], header: "authorization" },
    expires: null,
  };
  return { kind: "grant", name, grant, key: digestOf(kxOf(machine)) };
}

export function secretSection(name: string, version: number): AnySection {
  return { kind: "secret", name, version, file: digestOf(`${name} ${version}`) };
}

export function agentSection(version: number): AnySection {
  return { kind: "agent", version: `0.${version}.0`, serial: version, bundle: digestOf(`agent ${version}`) };
}
