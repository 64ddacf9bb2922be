import type { Digest, Json } from "#base/canonical/index.ts";
import type { Time } from "#base/time/index.ts";
import type { FleetId, MachineId, PluginId, SecretRef } from "./names.ts";

/** How a plugin gets a secret: handed over on fd 3, answered by OpenClaw's gateway, or put in by the egress proxy. */
export type Delivery =
  | { readonly mode: "fd" }
  | { readonly mode: "resolve" }
  | { readonly mode: "egress"; readonly hosts: readonly string[]; readonly header: string };

export type Grant = {
  readonly subject: PluginId | "gateway";
  readonly ref: SecretRef;
  readonly delivery: Delivery;
  readonly expires: Time | null;
};

/** A workflow of a forge by what its sigstore certificate says. The ids are the forge's own numbers: a name that somebody took over has others.
 *  All of it is compared exactly; `ref` names one branch or tag. */
export type WorkflowIdentity = {
  readonly issuer: string;
  readonly repository: string;
  readonly repositoryId: string;
  readonly ownerId: string;
  readonly workflow: string;
  readonly ref: string;
};

/** `by: hub` has the one principal `hub`; `by: ci` has none, but `identity`. */
export type RoleRule = {
  readonly by: "people" | "ci" | "hub";
  readonly principals: readonly string[];
  readonly threshold: number;
  readonly touch: "optional" | "required";
  readonly identity?: WorkflowIdentity;
};
/** One key of a principal, good for documents whose release serial is in from..until, both inclusive; null = no end. */
export type PrincipalKey = {
  readonly key: string;
  readonly touch: "optional" | "required";
  readonly from: number;
  readonly until: number | null;
};
export type VaultKey = { readonly key: string; readonly from: number; readonly until: number | null };
export type ActionRule = {
  readonly actions: readonly string[];
  readonly principals: readonly string[];
  readonly maxSeconds: number | null;
};

export type RoleName = "root" | "release" | "access" | "secrets";

export type TrustSection = {
  readonly kind: "trust";
  readonly roles: Readonly<Record<RoleName, RoleRule>>;
  readonly actions: readonly ActionRule[];
  readonly keys: Readonly<Record<string, readonly PrincipalKey[]>>;
  readonly trustedRoot: Digest | null;
  readonly vaultKeys: readonly VaultKey[];
  readonly runtimeIdentity: Json;
  readonly leaseSeconds: number;
  readonly expiresSeconds: number;
  /** age recipients that new secret versions are sealed to; left out when empty. */
  readonly recipients?: readonly string[];
  /** Digest of who may commit and which commits must be signed: there exactly when a role is by: hub, which signs what these people commit. So changing
   *  it needs root. Machines do not look at it. */
  readonly authors?: Digest;
};
export type AgentSection = {
  readonly kind: "agent";
  readonly version: string;
  readonly serial: number;
  readonly bundle: Digest;
  /** Digest of the Node binary, when the baseline names it. */
  readonly node?: Digest;
};
export type IdentitySection = {
  readonly kind: "identity";
  readonly incarnation: number;
  /** `age1tag1…`: the machine's ECDH key, which is an age recipient too. */
  readonly kx: string;
  /** base64 of the SPKI DER of the machine's P-256 signing key. */
  readonly sig: string;
  readonly driver: string;
  readonly mode: "observe" | "manage";
  readonly classes: readonly string[];
};
export type PostureSection = {
  readonly kind: "posture";
  readonly checks: Json;
  readonly power: Json;
  readonly onViolation: "warn" | "withhold-secrets";
};
export type OpenclawSection = { readonly kind: "openclaw"; readonly version: string; readonly bundle: Digest; readonly config: Json };
export type SshdSection = { readonly kind: "sshd"; readonly settings: Readonly<Record<string, string>> };
export type AccountSection = {
  readonly kind: "account";
  readonly name: string;
  readonly exclusive: boolean;
  readonly keys: readonly string[];
};
/** `key` = digest of the machine's kx text, so swapping the key is an access change. */
export type GrantSection = { readonly kind: "grant"; readonly name: string; readonly grant: Grant; readonly key: Digest };
export type PluginSection = {
  readonly kind: "plugin";
  readonly name: PluginId;
  readonly version: string;
  readonly serial: number;
  /** Digest of the bundle's .tgz. */
  readonly bundle: Digest;
  /** Who must have signed it: {key: base64 SPKI DER} or {keyless: {...}}. */
  readonly signer: Json;
  readonly run: Json;
  readonly config: Json;
  readonly network: readonly string[];
  readonly drift: "correct" | "warn" | "ignore";
};
export type RevokedSection = { readonly kind: "revoked"; readonly items: Json };
/** `name` is `team/openai`, `file` the digest of the age file of that version. */
export type SecretSection = { readonly kind: "secret"; readonly name: string; readonly version: number; readonly file: Digest };

/** One piece of a machine's desired state; machine-independent where it can be, all defaults filled in (WIRE §4). */
export type Section =
  | TrustSection
  | AgentSection
  | IdentitySection
  | PostureSection
  | OpenclawSection
  | SshdSection
  | AccountSection
  | GrantSection
  | PluginSection
  | RevokedSection
  | SecretSection;

export type SectionKind = Section["kind"];

/** All a revision asks of one machine; sections sorted by key, keys unique. Its canonical bytes travel. */
export type Desired = { readonly v: 1; readonly fleet: FleetId; readonly machine: MachineId; readonly sections: readonly Section[] };

/** How a plugin is run (`plugin.run`), defaults filled in. */
export type RunSpec = {
  readonly mode: "lobster" | "gateway";
  readonly restart: "always" | "on-failure" | "never";
  /** Plugins of the same machine that are applied first; sorted, left out when empty. */
  readonly dependsOn?: readonly string[];
};
