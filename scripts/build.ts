/** Builds what machines run, and the sdk: `node scripts/build.ts [--metafile FILE]`. Same inputs, same bytes; no dates, no absolute paths in the output. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");

/** Each output with its entry. Agent, egress and unpack hold no sodium; the bridge loads it from node_modules. */
const OUTPUTS = {
  "openclaw-lobster.mjs": "lobster/cli/main.ts",
  "bridge.mjs": "enclave-bridge/device/main.ts",
  "egress.mjs": "egress/main.ts",
  "verify-log.mjs": "enclave-bridge/device/verify-log.ts",
  "unpack.mjs": "bundle/read/child.ts",
} as const;
export type OutputName = keyof typeof OUTPUTS;

/** Generated forms that the sigstore packages load with all the others and never use: the messages of trusted_root.json, which we read ourselves
 *  (proof/sigstore/trusted-root.ts), and of requests to a verifier. 16 KB; test/code/agent-budget.test.ts asks whether anything names them. */
const UNUSED_FORMS = /@sigstore[/\\]protobuf-specs[/\\]dist[/\\]__generated__[/\\]sigstore_(trustroot|verification)\.js$/;
/** Parts of the error catalogue whose codes only the hub and the CLI throw; what a machine runs names none of them (the same test). 10 KB. */
export const HUB_ERRORS = ["ci", "fleet", "hub", "policy", "source", "ssh"] as const;
const HUB_PARTS = new RegExp(`base[/\\\\]errors[/\\\\]catalog[/\\\\](${HUB_ERRORS.join("|")})\\.ts$`);

const leaveOut: Plugin = {
  name: "leave-out",
  setup: (build) => {
    build.onLoad({ filter: UNUSED_FORMS }, () => ({ contents: "", loader: "js" }));
    build.onLoad({ filter: HUB_PARTS }, ({ path }) => {
      const part = HUB_PARTS.exec(path)?.[1] ?? "";
      return { contents: `export const ${part.toUpperCase()} = {};`, loader: "js" };
    });
  },
};

/** How everything a machine runs is bundled. */
export const BUNDLING = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  mainFields: ["module", "main"] as string[], // the smaller ESM builds where a package has both
  minifyWhitespace: true,
  minifySyntax: true,
  minifyIdentifiers: false, // stacks stay readable
  legalComments: "none",
  external: ["sodium-native"] as string[],
  plugins: [leaveOut] as Plugin[],
  banner: { js: "import{createRequire as mooringRequire}from'node:module';const require=mooringRequire(import.meta.url);" }, // CommonJS packages inside ask for node: modules
  logLevel: "silent",
} as const satisfies BuildOptions;

/** Bundles `names` (all that have an entry, unless named) into `folder` and answers what is in each. */
export async function buildOutputs(
  folder: string,
  names: readonly OutputName[] = builtOutputs(),
): Promise<ReadonlyMap<OutputName, Metafile>> {
  mkdirSync(folder, { recursive: true });
  const metas = await Promise.all(names.map(async (name) => [name, await bundleOne(folder, name)] as const));
  return new Map(metas);
}

/** Outputs whose entry exists. */
export function builtOutputs(): readonly OutputName[] {
  return (Object.keys(OUTPUTS) as OutputName[]).filter((name) => existsSync(join(root, OUTPUTS[name])));
}

async function bundleOne(folder: string, name: OutputName): Promise<Metafile> {
  const result = await build({ ...BUNDLING, entryPoints: [OUTPUTS[name]], outfile: join(folder, name), metafile: true });
  return result.metafile;
}

/** The published package: plain JS and declarations in sdk/dist, by the compiler alone. */
async function buildSdk(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "sdk")]);
}

if (import.meta.main) {
  const [metas] = await Promise.all([buildOutputs(join(root, "dist")), buildSdk()]);
  const at = process.argv.indexOf("--metafile");
  const file = process.argv[at + 1];
  if (at > 0 && file !== undefined) writeFileSync(file, JSON.stringify(Object.fromEntries(metas)));
  for (const [name, meta] of metas) {
    const bytes = Object.values(meta.outputs).reduce((sum, output) => sum + output.bytes, 0);
    process.stdout.write(`${name.padEnd(22)} ${(bytes / 1024).toFixed(0).padStart(5)} KB\n`);
  }
}
