import { execFileSync } from "node:child_process";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonBytes, type Digest, digestBytes, digestOf, type Json, toBase64 } from "#base/canonical/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import { packFiles } from "#bundle/pack/index.ts";
import { sealPack, type SealedPack } from "#bundle/sealed/index.ts";
import { signStatement, statementFor } from "#bundle/statement/index.ts";
import {
  ACTION_NAMESPACE,
  buildProof,
  composeRelease,
  composeSecretsRelease,
  composeStatement,
  type KnownRelease,
  parseTrust,
  readKnown,
  readSecrets,
  RELEASE_NAMESPACE,
  SECRETS_NAMESPACE,
  type SignedSecrets,
  type Trust,
} from "#proof/release/index.ts";
import {
  type AnySection,
  classOfKind,
  type FleetTrees,
  fleetTrees,
  indexOf,
  keyOf,
  machineRoot,
  type ReleaseClass,
} from "#proof/root/index.ts";
import { hintOf } from "#proof/sigstore/index.ts";
import type {
  ApplyRequest,
  Bytes64,
  FleetId,
  GrantSection,
  MachineId,
  MachineStatement,
  PluginId,
  PluginSection,
  ReleaseProof,
  Revision,
  RoleName,
  RoleRule,
  SecretRef,
  Section,
  SignedStatement,
  Statement,
  VaultKey,
} from "#schemas/wire/index.ts";

const DAY = 86_400_000;

/** A person with a real SSH key in a file, signing through ssh-keygen. */
export type Person = {
  readonly name: string;
  readonly key: string;
  readonly keyFile: string;
  sign(bytes: Uint8Array, namespace: string): string;
};

/** A plugin packed and signed, with the section that asks for it. */
export type FixturePlugin = { readonly section: PluginSection; readonly tgz: Uint8Array; readonly bundleJson: Uint8Array };

export type FixtureMachine = {
  readonly name: MachineId;
  readonly kx: string;
  readonly sig: string;
  mode: "observe" | "manage";
  incarnation: number;
  /** All sections but identity and trust. */
  sections: AnySection[];
};

export type FixtureOptions = {
  readonly fleet?: string;
  readonly people?: readonly string[];
  /** Roles that differ from "alice alone signs". */
  readonly roles?: Partial<Record<RoleName, Partial<RoleRule>>>;
  readonly vaultKeys?: readonly VaultKey[];
  readonly now?: number;
};

/** A fleet made for one test: people with ssh-keygen keys, a plugin signer, machines, releases. Change `machines`, then `release`. Everything lies in
 *  `dir` until `close`. */
export class FleetFixture {
  readonly dir: string;
  readonly fleet: FleetId;
  readonly people = new Map<string, Person>();
  readonly machines = new Map<string, FixtureMachine>();
  readonly releases: KnownRelease[] = [];
  readonly now: number;
  trust: Trust;
  secrets: SignedSecrets | null = null;
  trees: FleetTrees;
  readonly #options: FixtureOptions;
  readonly #pluginKey: { readonly privateKey: KeyObject; readonly spki: Uint8Array };

  constructor(options: FixtureOptions = {}) {
    this.dir = mkdtempSync(join(tmpdir(), "fx-"));
    this.fleet = (options.fleet ?? "acme") as FleetId;
    this.now = options.now ?? Date.now();
    this.#options = options;
    for (const name of options.people ?? ["alice", "ops"]) this.people.set(name, newPerson(this.dir, name));
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#pluginKey = { privateKey, spki: new Uint8Array(publicKey.export({ format: "der", type: "spki" })) };
    this.trust = this.#trustOf(options.vaultKeys ?? []);
    this.trees = fleetTrees(this.fleet, new Map());
  }

  /** Leaf a machine pins at enrolment. */
  get pin(): Digest {
    return this.trust.leaf;
  }

  get head(): KnownRelease {
    const head = this.releases.at(-1);
    if (head === undefined) throw new Error("nothing was released yet");
    return head;
  }

  person(name: string): Person {
    const person = this.people.get(name);
    if (person === undefined) throw new Error(`nobody is called ${name}`);
    return person;
  }

  /** Call before the first release: machines pin the trust as it is then. */
  setVaultKeys(keys: readonly VaultKey[]): void {
    this.trust = this.#trustOf(keys);
  }

  addMachine(statement: Pick<MachineStatement, "machine" | "kx" | "sig" | "incarnation">): FixtureMachine {
    const { machine: name, kx, sig, incarnation } = statement;
    const machine: FixtureMachine = { name, kx, sig, incarnation, mode: "manage", sections: [] };
    this.machines.set(name, machine);
    return machine;
  }

  machine(name: string): FixtureMachine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`no machine ${name}`);
    return machine;
  }

  /** Packs and signs a plugin of one or more files; `main.js` or `main.sh` is what runs. `more` overrides members of its section. */
  async plugin(
    id: string,
    serial: number,
    files: Readonly<Record<string, string>>,
    more: Partial<PluginSection> = {},
  ): Promise<FixturePlugin> {
    const version = `1.${serial}.0`;
    const main = files["main.sh"] === undefined ? "main.js" : "main.sh";
    const all: Record<string, string> = {
      ...files,
      "package.json": JSON.stringify({ name: `openclaw-${id}`, version, main, type: "module" }),
      "openclaw.plugin.json": JSON.stringify({ id, version }),
    };
    const packed = packFiles(
      Object.entries(all).map(([path, text]) => ({
        path,
        mode: path.endsWith(".sh") ? 0o755 : 0o644,
        bytes: new TextEncoder().encode(text),
      })),
    );
    const { privateKey, spki } = this.#pluginKey;
    const bundleJson = await signStatement(
      statementFor(packed, serial),
      hintOf(spki),
      (bytes) => new Uint8Array(sign("sha256", bytes, privateKey)),
    );
    const section: PluginSection = {
      kind: "plugin",
      name: id as PluginId,
      version,
      serial,
      bundle: packed.digest,
      signer: { key: toBase64(spki) },
      run: { mode: "lobster", restart: "always" },
      config: {},
      network: [],
      drift: "correct",
      ...more,
    };
    return { section, tgz: packed.tgz, bundleJson };
  }

  /** Puts a section on a machine, in the place of the one with the same key. */
  put(machine: string, ...sections: readonly (AnySection | Section)[]): void {
    const of = this.machine(machine);
    const keys = new Set(sections.map(keyOf));
    of.sections = [...of.sections.filter((section) => !keys.has(keyOf(section))), ...sections];
  }

  remove(machine: string, key: string): void {
    const of = this.machine(machine);
    of.sections = of.sections.filter((section) => keyOf(section) !== key);
  }

  grant(machine: string, plugin: string, secret: string, delivery: GrantSection["grant"]["delivery"] = { mode: "fd" }): GrantSection {
    const grant = { subject: plugin as PluginId, ref: `secret://${secret}` as SecretRef, delivery, expires: null };
    return { kind: "grant", name: `${plugin}-${secret.replaceAll("/", "-")}`, grant, key: digestOf(this.machine(machine).kx) };
  }

  /** The next release of the present state, signed by `signers`. */
  release(
    signers: readonly string[] = ["alice"],
    options: {
      readonly lifts?: readonly Digest[];
      readonly reattest?: readonly ReleaseClass[];
      readonly expires?: Time;
      readonly secretsBy?: readonly string[];
    } = {},
  ): KnownRelease {
    this.trees = fleetTrees(this.fleet, new Map([...this.machines.keys()].map((machine) => [machine, indexOf(this.sectionsOf(machine))])));
    const bytes = composeRelease({
      fleet: this.fleet,
      prev: this.releases.at(-1)?.release ?? null,
      resolver: 1,
      roots: this.trees.roots,
      trustLeaf: this.trust.leaf,
      lifts: options.lifts ?? [],
      issued: timeOf(this.now - DAY),
      expires: options.expires ?? timeOf(this.now + 30 * DAY),
      ...(options.reattest === undefined ? {} : { reattest: options.reattest }),
    });
    const sigs = signers.map((name) => this.person(name).sign(bytes, RELEASE_NAMESPACE));
    const known = readKnown({ bytes, sigs, trust: this.trust.bytes }, this.fleet);
    this.releases.push(known);
    if (this.trees.roots.secrets.size > 0) this.#releaseSecrets(options.secretsBy ?? ["alice"]);
    return known;
  }

  sectionsOf(name: string): AnySection[] {
    const { sections, kx, sig, mode, incarnation } = this.machine(name);
    const classes = [...new Set(["machines", ...sections.map((section) => classOfKind(section.kind))])].sort();
    const identity = { kind: "identity", incarnation, kx, sig, driver: "software", mode, classes };
    return [...sections, identity as AnySection, this.trust.section].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  desiredOf(name: string): Uint8Array {
    return canonBytes({ v: 1, fleet: this.fleet, machine: name, sections: this.sectionsOf(name) });
  }

  rootOf(name: string): Digest {
    return machineRoot(this.fleet, name, indexOf(this.sectionsOf(name)));
  }

  /** What proves `desiredOf(name)` under the head to a machine that holds the pin, or the trust it accepted. */
  proofFor(name: string): ReleaseProof {
    const holds = { pin: this.pin };
    return buildProof({ machine: name, head: this.head, releases: this.releases, trees: this.trees, holds, secrets: this.secrets });
  }

  /** A whole PUT /v1/applies/{id}. */
  applyFor(
    name: string,
    at: Pick<ApplyRequest, "epoch" | "ifRoot" | "ifGeneration">,
  ): { readonly id: string; readonly body: ApplyRequest } {
    const body: ApplyRequest = {
      v: 1,
      revision: createHash("sha1").update(this.head.release.bytes).digest("hex") as Revision,
      root: this.rootOf(name),
      desired: toBase64(this.desiredOf(name)) as Bytes64,
      release: this.proofFor(name),
      ...at,
    };
    return { id: applyIdOf(body), body };
  }

  packFor(name: string, ...plugins: readonly FixturePlugin[]): SealedPack {
    return sealPack({ fleet: this.fleet, machine: name, kx: this.machine(name).kx }, plugins);
  }

  /** A statement signed by `by`; by default a revocation of `target` everywhere. */
  statement(
    target: Statement["target"],
    by = "ops",
    more: Partial<Statement> = {},
  ): { readonly item: SignedStatement; readonly digest: Digest } {
    const bytes = composeStatement({
      t: "mooring/action/v1",
      fleet: this.fleet,
      action: "revoke",
      target,
      machines: "all",
      reason: "test",
      issued: timeOf(this.now - 1000),
      expires: null,
      ...more,
    });
    return { item: { bytes: toBase64(bytes) as Bytes64, sigs: [this.person(by).sign(bytes, ACTION_NAMESPACE)] }, digest: digestOf(bytes) };
  }

  close(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #releaseSecrets(signers: readonly string[]): void {
    const issued = timeOf(this.now - DAY);
    const bytes = composeSecretsRelease({
      fleet: this.fleet,
      prev: this.secrets,
      secrets: this.trees.roots.secrets,
      issued,
      expires: timeOf(this.now + 30 * DAY),
    });
    const sigs = signers.map((name) => this.person(name).sign(bytes, SECRETS_NAMESPACE));
    this.secrets = readSecrets(bytes, sigs, this.fleet);
  }

  #trustOf(vaultKeys: readonly VaultKey[]): Trust {
    const rule = (role: RoleName): RoleRule => ({
      by: "people",
      principals: ["alice"],
      threshold: 1,
      touch: "optional",
      ...this.#options.roles?.[role],
    });
    const keys = [...this.people].map(([name, { key }]) => [name, [{ key, touch: "optional", from: 1, until: null }]] as const);
    const section = {
      kind: "trust",
      roles: { root: rule("root"), release: rule("release"), access: rule("access"), secrets: rule("secrets") },
      actions: [
        { actions: ["revoke"], principals: ["ops"], maxSeconds: null },
        { actions: ["pause", "hold"], principals: ["ops"], maxSeconds: 28_800 },
      ],
      keys: Object.fromEntries(keys),
      trustedRoot: null,
      vaultKeys: vaultKeys as unknown as Json,
      runtimeIdentity: null,
      leaseSeconds: 172_800,
      expiresSeconds: 7_776_000,
    };
    return parseTrust(canonBytes(section));
  }
}

/** The id of an apply: hex of the SHA-256 of its canonical body. */
export function applyIdOf(body: ApplyRequest): string {
  return Buffer.from(digestBytes(digestOf(canonBytes(body)))).toString("hex");
}

/** Makes a key with ssh-keygen; its file stays in `dir`. */
export function newPerson(dir: string, name: string): Person {
  const keyFile = join(dir, `${name}.key`);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", keyFile]);
  const [type, blob] = readFileSync(`${keyFile}.pub`, "utf8").split(" ");
  return {
    name,
    keyFile,
    key: `${type} ${blob}`,
    sign: (bytes, namespace) =>
      execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-n", namespace, "-f", keyFile], {
        input: bytes,
        encoding: "utf8",
        stdio: ["pipe", "pipe", "ignore"],
      }),
  };
}
