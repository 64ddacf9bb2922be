import { generateKeyPairSync, randomBytes } from "node:crypto";
import { type Digest, digestOf } from "#base/canonical/index.ts";
import { treeDigest, type TreeFile } from "#proof/root/index.ts";
import { recipientOf } from "#seal/hpke/index.ts";

/** Labels of machine `i`: sites, roles and rings as a real fleet has them. The same number gives the same labels. */
export function labelsOf(i: number): Readonly<Record<string, string>> {
  const ring = i % 100 === 0 ? "canary" : i % 10 === 1 ? "early" : "stable";
  return {
    role: ROLES[i % ROLES.length]!,
    site: SITES[Math.floor(i / ROLES.length) % SITES.length]!,
    ring,
    rack: `r${Math.floor(i / 16)}`,
  };
}

export const ROLES = ["mail", "build", "media", "agent", "desk"] as const;
export const SITES = ["fra", "ams", "nyc", "sfo"] as const;
export const PEOPLE = ["a", "b", "security", "recovery", "ops"] as const;

export function machineName(i: number): string {
  return `mini-${String(i).padStart(5, "0")}`;
}

/** A machine with keys of its own, made now. */
export function machineDocument(i: number): string {
  const labels = Object.entries(labelsOf(i)).map(([name, value]) => `${name}: ${value}`);
  return `apiVersion: mooring/v1
kind: Machine
metadata:
  name: ${machineName(i)}
  labels: { ${labels.join(", ")} }
spec:
  connect: { addresses: [${machineName(i)}.${labelsOf(i)["site"]}.example.net] }
  hostKeys:
    - ${sshKey()}
  incarnation: 1
  enclave:
    driver: software
    kx: ${kxText()}
    sig: ${p256().export({ type: "spki", format: "der" }).toString("base64")}
  mode: manage
`;
}

/** A public key in OpenSSH's form. */
export function sshKey(): string {
  const field = (bytes: Uint8Array): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(bytes.length);
    return Buffer.concat([size, bytes]);
  };
  const raw = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(raw)]).toString("base64")}`;
}

export function publicKeyPem(): string {
  return p256().export({ type: "spki", format: "pem" }).toString();
}

function kxText(): string {
  return recipientOf(new Uint8Array(p256().export({ type: "spki", format: "der" }).subarray(-65)));
}

function p256() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
}

/** A plugin and its lock at one version. Some take a role, some a site, one all; a few are tuned on canaries or depend on another. */
export function pluginDocuments(n: number, serial: number): { readonly document: string; readonly lock: string } {
  const name = pluginName(n);
  const version = `1.${serial}.0`;
  const digest = digestOf(`${name} ${version}`);
  const overrides = n % 5 === 0 ? "  overrides:\n    - { machines: { labels: { ring: canary } }, config: { verbose: true } }\n" : "";
  const depends = n % 7 === 3 ? `  dependsOn: [${pluginName(0)}]\n` : "";
  const document = `apiVersion: mooring/v1
kind: Plugin
metadata:
  name: ${name}
spec:
  version: ${version}
  source: { url: "https://bundles.example.net/${name}-{version}.tgz" }
  digest: ${digest}
  verify: { key: trust/keys/${n % 3 === 0 ? "platform" : "apps"}.pub }
  machines: ${pluginMachines(n)}
  config:
    inbox: support
    batch: ${10 + n}
    folders: [inbox, later, "done"]
${overrides}${depends}`;
  return { document, lock: lockText(name, version, serial, digest) };
}

export function pluginName(n: number): string {
  return `${["base", "mail", "build", "media", "agent", "desk"][n === 0 ? 0 : 1 + (n % 5)]}-${n}`;
}

/** The selector that plugin and grant `n` share. */
export function pluginMachines(n: number): string {
  if (n === 0) return "all";
  if (n % 6 === 0) return `{ labels: { site: ${SITES[n % SITES.length]} } }`;
  return `{ labels: { role: ${ROLES[n % ROLES.length]}${n % 4 === 1 ? `, site: ${SITES[n % SITES.length]}` : ""} } }`;
}

function lockText(name: string, version: string, serial: number, digest: Digest): string {
  const files: TreeFile[] = ["dist/main.js", "dist/vendor/sdk.js", "openclaw.plugin.json", "package.json"].map((path, i) => [
    path,
    0o644,
    200 * (i + 1),
    digestOf(`${name} ${version} ${path}`),
  ]);
  const rows = files.map((file) => `    ${JSON.stringify(file)}`).join(",\n");
  const head = { v: 1, name, version, serial, digest, tree: treeDigest(files), main: "dist/main.js" };
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "files": [\n${rows}\n  ]\n}\n`;
}

/** A secret with one version; its value is random bytes that nobody keeps. */
export function secretDocuments(name: string): { readonly document: string; readonly file: string; readonly age: Uint8Array } {
  const age = randomBytes(320); // what lies there is never opened here, and a sealed file looks like this
  const file = `${name.split("/").at(-1)}.v1.age`;
  const document = `apiVersion: mooring/v1
kind: Secret
metadata:
  name: ${name}
spec:
  current: 1
  versions:
    "1":
      file: ${file}
      digest: ${digestOf(age)}
      created: 2026-11-01T09:00:00Z
`;
  return { document, file, age };
}

export function grantDocument(n: number, secrets: readonly string[]): string {
  return `apiVersion: mooring/v1
kind: SecretGrant
metadata:
  name: ${pluginName(n)}
spec:
  plugin: ${pluginName(n)}
  machines: ${pluginMachines(n)}
  secrets:
${secrets.map((name) => `    - { ref: secret://${name}, delivery: fd }`).join("\n")}
  expires: 2028-01-01
`;
}

export const FLEET = `apiVersion: mooring/v1
kind: Fleet
metadata:
  name: acme
spec:
  requires: ">=0.1"
  interval: 10m
  trust:
    roles:
      root: { principals: [a@acme.dev, b@acme.dev, recovery@acme.dev], threshold: 2 }
      release: { principals: [a@acme.dev, b@acme.dev] }
      access: { principals: [security@acme.dev] }
      secrets: { principals: [a@acme.dev, security@acme.dev] }
    actions:
      - { actions: [pause, hold, prune, restore, override, reset], principals: [ops@acme.dev], maxDuration: 8h }
      - { actions: [revoke], principals: [ops@acme.dev, security@acme.dev] }
    lease: 48h
    expires: 90d
  allowSoftwareKeys: true
`;

/** How machines have to be; `what` beyond the selector is not enforced yet, so it is left out unless asked for. */
export function baselineDocument(name: string, machines: string, isWhole: boolean): string {
  const fields = `  sshd: { passwordAuthentication: false, permitRootLogin: false }
  posture: { fileVault: required, sip: required, firewall: required }
  accounts: [{ name: admin, keys: [${sshKey()}] }]
`;
  return `apiVersion: mooring/v1\nkind: Baseline\nmetadata:\n  name: ${name}\nspec:\n  machines: ${machines}\n${isWhole ? fields : ""}`;
}
