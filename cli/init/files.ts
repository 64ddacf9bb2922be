import type { Digest } from "#base/canonical/index.ts";
import { demandFleet, filesOf, loadFleet, resolve } from "#reconciler/desired/index.ts";
import { jsonSchemas } from "#schemas/fleet/json-schema.ts";
import { libraryPolicies } from "#reconciler/policy/library/index.ts";
import type { Answers } from "./answers.ts";
import { isHardware } from "./keys.ts";
import { readmeText } from "./readme.ts";
import type { Recovery } from "./recovery.ts";
import { workflowText } from "./workflow.ts";

/** Built-in policies that a new fleet starts with: they cost nobody anything before there is a grant. */
const POLICIES = ["grants-expire", "grant-scope"];

const FOLDERS = {
  "fleet.json": ["fleet.yaml"],
  "machine.json": ["machines/**/*.yaml"],
  "baseline.json": ["baselines/*.yaml"],
  "plugin.json": ["plugins/*.yaml"],
  "secret.json": ["secrets/**/*.yaml"],
  "secret-grant.json": ["grants/*.yaml"],
  "rotation-policy.json": ["rotations/*.yaml"],
  "policy.json": ["policies/*.yaml"],
};

/** Every file of a new fleet repo by path, and the leaf of its trust section. */
export async function filesFor(
  answers: Answers,
  recovery: Recovery,
): Promise<{ readonly files: ReadonlyMap<string, string>; readonly trustRoot: Digest }> {
  const files = new Map<string, string>([
    ["fleet.yaml", fleetText(answers)],
    ["trust/allowed_signers", signersText(answers, recovery)],
    ["trust/recipients", recipientsText(recovery)],
    ["README.md", readmeText(answers)],
    [".vscode/settings.json", settingsText()],
    [".vscode/extensions.json", `${JSON.stringify({ recommendations: ["redhat.vscode-yaml"] }, null, 2)}\n`],
    [".gitattributes", ATTRIBUTES],
  ]);
  const library = await libraryPolicies();
  for (const name of POLICIES) {
    for (const [path, text] of Object.entries(library.find((policy) => policy.name === name)?.files ?? {}))
      files.set(path, path.startsWith("policies/tests/") ? text : `${modeline(path, "policy.json")}${text}`);
  }
  const trustRoot = await trustRootOf(files);
  files.set(".github/workflows/mooring.yml", workflowText(trustRoot));
  for (const [name, text] of jsonSchemas()) files.set(`.mooring/schemas/${name}`, text);
  return { files, trustRoot };
}

/** Also holds what we are about to write against all rules: throws FLEET_INVALID before anything is written. */
async function trustRootOf(files: ReadonlyMap<string, string>): Promise<Digest> {
  return resolve(demandFleet(await loadFleet(filesOf(Object.fromEntries(files))))).trustLeaf;
}

/** The comment by which editors find the schema of one file, relative to it. */
export function modeline(path: string, schema: string): string {
  return `# yaml-language-server: $schema=${"../".repeat(path.split("/").length - 1)}.mooring/schemas/${schema}\n`;
}

function fleetText({ name, principal, key }: Answers): string {
  const touch = isHardware(key) ? ", touch: required" : "";
  return `${modeline("fleet.yaml", "fleet.json")}apiVersion: mooring/v1
kind: Fleet
metadata: { name: ${name} }
spec:
  interval: 10m # full check of every machine; drift is noticed at once anyway
  trust:
    roles: # who must sign which part of a release
      root: { by: people, principals: [${principal}, recovery], threshold: 1 } # may change whom to trust; recovery lies on paper
      release: { by: people, principals: [${principal}], threshold: 1${touch} } # machines, plugins, baselines; signs every release
      access: { by: people, principals: [${principal}], threshold: 1${touch} } # who may use which secret, and who may log in
      secrets: { by: people, principals: [${principal}], threshold: 1${touch} } # new versions of secrets
    actions:
      - { actions: [revoke], principals: [${principal}, recovery] }
    lease: 48h # a machine that can't renew opens no secret after this
    expires: 90d # sign again before a release is this old
`;
}

/** Roles are \`touch: optional\` for root, since the key on paper has none; the token asks it of the person's own key. */
function signersText({ principal, key }: Answers, recovery: Recovery): string {
  const touch = isHardware(key) ? " mooring:touch=required" : "";
  return `# Who may sign what is in fleet.yaml; the keys themselves are here, in OpenSSH's own form.
${principal} ${key} ${principal}${touch}
recovery ${recovery.key} on-paper
# The vault's line goes here once it is set up: see README.md.
`;
}

function recipientsText({ recipient }: Recovery): string {
  return `# New versions of secrets are sealed to these age recipients, one a line. The first is the escrow, whose identity lies on paper.
${recipient}
# The vault's recipient goes here once it is set up: see README.md.
`;
}

function settingsText(): string {
  const globs = Object.values(FOLDERS).flat();
  return `${JSON.stringify({ "yaml.schemas": { "./.mooring/schemas/index.json": globs } }, null, 2)}\n`;
}

/** Age files and keys are compared byte by byte, so git must not change their line ends. */
const ATTRIBUTES = `*.yaml text eol=lf
*.lock.json text eol=lf
*.age -text
trust/** -text
.mooring/** linguist-generated
`;
