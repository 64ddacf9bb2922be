import { edited, goldenTree, type Tree } from "./fleet-tree.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const OTHER = `sha256:${"cd".repeat(32)}`;

/** The golden fleet grown until every kind and nearly every field is used: valid, resolved in full, and far beyond what the gate lets pass. */
export function fullTree(): Tree {
  let tree: Tree = { ...goldenTree(), ...ADDED };
  const lock = tree["plugins/greeter.lock.json"]!;
  const canary = lock
    .replace('"version": "1.0.0"', '"version": "1.1.0"')
    .replace('"serial": 1', '"serial": 2')
    .replace(/"digest": "[^"]+"/, `"digest": "${OTHER}"`);
  tree = {
    ...tree,
    "plugins/greeter-1.1.0.lock.json": canary,
    "plugins/base.lock.json": lock.replace('"name": "greeter"', '"name": "base"'),
  };
  tree = { ...tree, "plugins/base.yaml": tree["plugins/greeter.yaml"]!.replace("name: greeter", "name: base") };
  tree = edited(tree, "plugins/greeter.yaml", "greeter-1.0.0.tgz", "greeter-{version}.tgz");
  tree = edited(tree, "plugins/greeter.yaml", /verify:.*\n/, PLUGIN_FIELDS);
  tree = edited(
    tree,
    "grants/greeter.yaml",
    "delivery: fd }",
    "delivery: fd }\n    - { ref: secret://team/token, delivery: egress, hosts: [b.example.net, api.example.net], header: authorization }",
  );
  tree = edited(tree, "grants/greeter.yaml", "    - { ref: secret://team/greeting, delivery: fd }\n", "");
  tree = edited(
    tree,
    "grants/greeter.yaml",
    "  expires",
    "    - { ref: secret://team/greeting, delivery: egress, hosts: [a.example.net], header: x-token }\n  expires",
  );
  tree = edited(tree, "machines/mini-03.yaml", "role: greeter", "ring: canary, role: greeter");
  tree = edited(tree, "machines/mini-02.yaml", "mode: manage", "mode: observe\n  availability: intermittent\n  offlineAfter: 48h");
  tree = edited(tree, "machines/mini-02.yaml", "driver: software", "driver: tpm2");
  tree = edited(tree, "machines/mini-02.yaml", "addresses:", "via: openssh, addresses:");
  tree = edited(tree, "fleet.yaml", "  interval: 10m\n", FLEET_FIELDS);
  return tree;
}

const FLEET_FIELDS = `  interval: 5m
  prune: { mode: report, maxDeletePercent: 50 }
  freeze: [{ name: weekend, schedule: "0 18 * * 5", duration: 62h, timezone: Europe/Berlin, machines: all, allow: [drift, revoke] }]
  retention: { events: 30d }
  notifications: [{ name: ops, kind: webhook, to: "https://hooks.example.net/x", on: [stalled] }]
`;

const PLUGIN_FIELDS = `verify:
    keyless: { issuer: https://token.actions.githubusercontent.com, repository: acme/greeter, repositoryId: "1", ownerId: "2", workflow: .github/workflows/release.yml, ref: refs/tags/v* }
  config: { inbox: support }
  overrides: [{ machines: { labels: { ring: canary } }, version: 1.1.0, digest: "${OTHER}", config: { tone: warm } }]
  assets: [{ name: model, url: https://models.example.net/m.bin, digest: "${DIGEST}", size: 4Gi }]
  run: { mode: gateway, restart: on-failure, health: { http: "unix:health.sock" }, limits: { memory: 512Mi }, state: { maxSize: 1Gi }, session: gui }
  network: { allow: ["api.example.net:443"] }
  rollout: { canary: 0, maxUnavailable: 100%, partitions: [ring=canary], soak: 0s, onFailure: hold }
  dependsOn: [base]
`;

const head = (kind: string, name: string): string => `apiVersion: mooring/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n`;

const ADDED: Tree = {
  "baselines/zone.yaml": `${head("Baseline", "zone")}  machines: all
  runtime: { version: 0.4.0, digest: "${DIGEST}", node: "${OTHER}" }
  sshd: { passwordAuthentication: false }
  accounts: [{ name: admin, keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFPs/4zbn6bLh2XpQvOqCoT8pWZDa5o9gxOMhMmhOZrk] }]
  posture: { fileVault: required }
  openclaw: { version: 2026.9.6, digest: "${DIGEST}", config: { model: small } }
`,
  "baselines/strict.yaml": `${head("Baseline", "strict")}  machines: { labels: { site: fra } }
  sshd: { requireSecurityKeys: true }
  power: { sleep: never }
  onViolation: withhold-secrets
`,
  "secrets/team/token.yaml": `${head("Secret", "team/token")}  current: 2
  previous: 1
  versions:
    "1": { file: token.v1.age, digest: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", created: 2026-11-01T09:00:00Z }
    "2": { file: token.v2.age, digest: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", created: 2026-11-02T09:00:00Z }
`,
  "secrets/team/token.v1.age": "",
  "secrets/team/token.v2.age": "",
  "grants/gateway.yaml": `${head("SecretGrant", "gateway")}  gateway: true
  machines: all
  secrets: [{ ref: secret://team/greeting, delivery: resolve }]
`,
  "rotations/token.yaml": `${head("RotationPolicy", "token")}  secrets: [secret://team/token]
  schedule: "0 3 * * 1"
  timezone: Europe/Berlin
  maxAge: 30d
  provider: { kind: http, config: { endpoint: "https://vendor.example.net/keys" } }
  triggers: [grant-removed]
`,
  "policies/fd.yaml": `${head("Policy", "fd")}  match: { kinds: [SecretGrant] }
  params: { fdAllowed: [greeter] }
  validations: [{ expression: "object.spec.secrets.all(s, s.delivery == 'egress' || object.spec.plugin in params.fdAllowed)", message: only egress, level: deny }]
`,
};
