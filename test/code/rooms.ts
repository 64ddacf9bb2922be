/** The rooms of the house and what each may import; ARCHITECTURE.md says why. The longest prefix of a file's path is its room. */

const VOCABULARY = ["base", "schemas/wire", "schemas/audit"] as const;
const PURE = ["proof", "seal", "bundle", "plan"] as const;

/** Room → rooms whose code it may import, besides its own. `bridge` is short for enclave-bridge in import paths only. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  schemas: ["base"],
  proof: VOCABULARY,
  seal: VOCABULARY,
  bundle: [...VOCABULARY, "proof", "seal"],
  plan: VOCABULARY,
  "reconciler/desired": ["base", "schemas", "proof", "plan"],
  reconciler: ["base", "schemas", ...PURE, "reconciler/desired", "enclave-bridge/client"],
  lobster: [...VOCABULARY, ...PURE, "enclave-bridge/client"],
  "enclave-bridge": [...VOCABULARY, "proof", "seal", "enclave-bridge/vault", "enclave-bridge/device", "enclave-bridge/client"],
  "enclave-bridge/client": VOCABULARY,
  "enclave-bridge/device": [...VOCABULARY, "proof", "seal", "enclave-bridge", "enclave-bridge/client"],
  "enclave-bridge/vault": [...VOCABULARY, "proof", "seal", "enclave-bridge", "enclave-bridge/client"],
  egress: [...VOCABULARY, "proof", "seal", "enclave-bridge/client"],
  cli: ["base", "schemas", ...PURE, "reconciler", "reconciler/desired", "enclave-bridge", "enclave-bridge/client"],
  sdk: [],
};

/** Package (or the import path that matters) → the only product folders that import it. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@bufbuild/cel": ["reconciler/policy"],
  "@sigstore/bundle": ["proof/sigstore", "cli/plugin", "cli/sign"],
  "@sigstore/sign": ["cli/plugin", "cli/sign"],
  "@sigstore/verify": ["proof/sigstore"],
  "age-encryption": ["cli/secret-ref"],
  chokidar: ["reconciler/source"],
  commander: ["cli"],
  cron: ["schemas/fleet", "reconciler/desired"],
  "isomorphic-git": ["reconciler/source"],
  listr2: ["cli"],
  openpgp: ["reconciler/source"],
  pino: ["reconciler"],
  "sodium-native": ["enclave-bridge", "egress"],
  "string-width": ["cli/report"],
  ssh2: ["reconciler/ssh"],
  yaml: ["reconciler/desired", "cli"],
  zod: ["schemas/fleet"],
  "zod/mini": ["schemas", "seal", "bundle", "reconciler", "lobster", "enclave-bridge", "egress", "cli"],
};

/** Folders without clock, socket, file or process: what they work on comes in as arguments. */
export const PURE_FOLDERS = ["base/canonical", "base/errors", "base/frames", "proof", "plan", "reconciler/desired"] as const;

/** What a pure folder may take from Node: hashing, and shapes of bytes and text. */
export const PURE_BUILTINS = ["node:crypto", "node:buffer", "node:util"] as const;

/** The room of a file by its path; null where none stands. */
export function roomOf(path: string): string | null {
  const prefixes = Object.keys(ROOMS).filter((room) => path.startsWith(`${room}/`));
  return prefixes.toSorted((a, b) => b.length - a.length)[0] ?? null;
}
