import { createECDH } from "node:crypto";
import { armor, Encrypter } from "age-encryption";
import { canonBytes, type Digest, digestOf, toBase64 } from "#base/canonical/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import {
  ACTION_NAMESPACE,
  buildProof,
  composeRelease,
  composeSecretsRelease,
  composeStatement,
  type Holds,
  type KnownRelease,
  parseTrust,
  readKnown,
  readSecrets,
  RELEASE_NAMESPACE,
  SECRETS_NAMESPACE,
  type SignedSecrets,
  type Trust,
} from "#proof/release/index.ts";
import { type AnySection, classOfKind, fleetTrees, indexOf, keyOf } from "#proof/root/index.ts";
import type { Bytes64, FleetId, MachineId, SealRequest, SecretRef, SignedStatement, Statement } from "#schemas/wire/index.ts";
import { secretFrame } from "#seal/file/index.ts";
import { recipientOf } from "#seal/hpke/index.ts";
import { fileSigner, type TestSigner } from "#test/proof/signer.ts";

export const FLEET = "acme" as FleetId;
const DAY = 86_400_000;

/** A machine of the fleet: its key, and its sections but trust and identity. */
export class TestMachine {
  readonly name: MachineId;
  readonly #key = createECDH("prime256v1");
  readonly point: Uint8Array;
  readonly kx: string;
  sections: AnySection[] = [];

  constructor(name: string) {
    this.name = name as MachineId;
    this.point = new Uint8Array(this.#key.generateKeys());
    this.kx = recipientOf(this.point);
  }

  readonly ecdh = async (peer: Uint8Array): Promise<Uint8Array> => this.#key.computeSecret(peer);

  addPlugin(name: string): this {
    const base = {
      kind: "plugin",
      name,
      version: "1.0.0",
      serial: 1,
      bundle: bundleOf(name),
      signer: {},
      run: {},
      config: {},
      network: [],
      drift: "correct",
    };
    this.sections.push(base);
    return this;
  }

  addGrant(plugin: string, secret: string, options: { expires?: Time; mode?: "fd" | "resolve" } = {}): this {
    const grant = {
      subject: plugin,
      ref: `secret://${secret}`,
      delivery: { mode: options.mode ?? "fd" },
      expires: options.expires ?? null,
    };
    this.sections.push({ kind: "grant", name: `${plugin}-${secret.replace("/", "-")}`, grant, key: digestOf(this.kx) });
    return this;
  }

  addSecret(name: string, version: number, file: Uint8Array): this {
    this.sections = this.sections.filter((section) => keyOf(section) !== `secret/${name}`);
    this.sections.push({ kind: "secret", name, version, file: digestOf(file) });
    return this;
  }

  all(trust: AnySection): AnySection[] {
    const classes = [...new Set(["machines", ...this.sections.map((section) => classOfKind(section.kind))])].sort();
    const identity = { kind: "identity", incarnation: 1, kx: this.kx, sig: "c2ln", driver: "software", mode: "manage", classes };
    return [...this.sections, identity as AnySection, trust].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
}

export function bundleOf(plugin: string): Digest {
  return digestOf(`bundle of ${plugin}`);
}

/** A fleet whose one person signs everything; `ops` may revoke. */
export class SignedFleet {
  readonly alice: TestSigner;
  readonly ops: TestSigner;
  /** Who signs now, under alice's name. */
  signer: TestSigner;
  readonly machines: TestMachine[] = [];
  readonly releases: KnownRelease[] = [];
  readonly vaultKey: string;
  /** The leaf of the first trust section. */
  readonly pin: Digest;
  trust: Trust;
  readonly issued: Time;
  readonly expires: Time;
  #secrets: SignedSecrets | null = null;

  constructor(now: number, vaultKey = "ssh-ed25519 AAAA", people = { alice: fileSigner(), ops: fileSigner() }) {
    this.alice = people.alice;
    this.ops = people.ops;
    this.signer = people.alice;
    this.vaultKey = vaultKey;
    this.trust = this.#trustIn(this.alice);
    this.pin = this.trust.leaf;
    this.issued = timeOf(now - DAY);
    this.expires = timeOf(now + 30 * DAY);
  }

  /** Gives alice's roles to another key, by a release that it and the key before sign. */
  rollTo(before: TestSigner, next: TestSigner): void {
    this.trust = this.#trustIn(next);
    this.signer = next;
    this.release({ signers: [before, next] });
  }

  #trustIn(alice: TestSigner): Trust {
    const role = { by: "people", principals: ["alice"], threshold: 1, touch: "optional" };
    const key = (signer: TestSigner) => [{ key: signer.key, touch: "optional", from: 1, until: null }];
    return parseTrust(
      canonBytes({
        kind: "trust",
        roles: { root: role, release: role, access: role, secrets: role },
        actions: [{ actions: ["revoke"], principals: ["ops"], maxSeconds: null }],
        keys: { alice: key(alice), ops: key(this.ops) },
        trustedRoot: null,
        vaultKeys: [{ key: this.vaultKey, from: 1, until: null }],
        runtimeIdentity: null,
        leaseSeconds: 3600,
        expiresSeconds: 7_776_000,
      }),
    );
  }

  machine(name: string): TestMachine {
    const machine = new TestMachine(name);
    this.machines.push(machine);
    return machine;
  }

  /** Signs the present state as the next release. */
  release(options: { lifts?: readonly Digest[]; signer?: TestSigner; signers?: readonly TestSigner[] } = {}): void {
    const { issued, expires } = this;
    const signers = options.signers ?? [options.signer ?? this.signer];
    const trees = this.#trees();
    const prev = this.releases.at(-1)?.release ?? null;
    const bytes = composeRelease({
      fleet: FLEET,
      prev,
      resolver: 1,
      roots: trees.roots,
      trustLeaf: this.trust.leaf,
      lifts: options.lifts ?? [],
      issued,
      expires,
    });
    const sigs = signers.map((signer) => signer.sign(bytes, RELEASE_NAMESPACE));
    this.releases.push(readKnown({ bytes, sigs, trust: this.trust.bytes }, FLEET));
    const secrets = composeSecretsRelease({ fleet: FLEET, prev: this.#secrets, secrets: trees.roots.secrets, issued, expires });
    this.#secrets = readSecrets(secrets, [this.signer.sign(secrets, SECRETS_NAMESPACE)], FLEET);
  }

  /** What an honest hub sends the vault for a machine under the newest release. */
  request(machine: TestMachine, files: readonly Uint8Array[], holds: Holds = { pin: this.pin }): SealRequest {
    const head = this.releases.at(-1);
    if (head === undefined) throw new Error("nothing is released");
    const trees = this.#trees();
    const proof = buildProof({
      machine: machine.name,
      head,
      releases: this.releases,
      trees,
      holds,
      secrets: this.#secrets,
    });
    return {
      machine: machine.name,
      desired: base64(canonBytes({ v: 1, fleet: FLEET, machine: machine.name, sections: machine.all(this.trust.section) })),
      release: proof,
      files: Object.fromEntries(files.map((file) => [digestOf(file), base64(file)])),
    };
  }

  revoke(
    kind: "secret" | "plugin" | "machine" | "signer",
    name: string,
    signer: TestSigner = this.ops,
    machines: Statement["machines"] = "all",
  ): SignedStatement {
    const statement = {
      t: "mooring/action/v1",
      fleet: FLEET,
      action: "revoke",
      target: { kind, name },
      machines,
      reason: "leaked",
      issued: this.issued,
      expires: null,
    } as const;
    const bytes = composeStatement(statement);
    return { bytes: base64(bytes), sigs: [signer.sign(bytes, ACTION_NAMESPACE)] };
  }

  #trees() {
    return fleetTrees(FLEET, new Map(this.machines.map((machine) => [machine.name, indexOf(machine.all(this.trust.section))])));
  }
}

/** An age file as `secret-ref add` makes it. */
export async function ageFile(recipient: string, ref: string, version: number, value: string): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const frame = secretFrame({ ref: ref as SecretRef, version, created: timeOf(0) }, Buffer.from(value));
  return Buffer.from(armor.encode(await encrypter.encrypt(frame)));
}

export function base64(bytes: Uint8Array): Bytes64 {
  return toBase64(bytes) as Bytes64;
}
