/** Assembles and packs the example plugins. A plugin is closed: all it needs is inside its archive, so the SDK is bundled into its tree here.
 *  As a program: node examples/plugins/build.ts greeter VERSION OUT.tgz */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { MooringError } from "#base/errors/index.ts";
import { type Packed, packPlugin } from "#bundle/pack/index.ts";

const GREETER = fileURLToPath(new URL("./greeter/", import.meta.url));
const SDK = fileURLToPath(new URL("../../sdk/src/index.ts", import.meta.url));

/** Writes the greeter plugin as `version` into the folder `into` (made when missing): manifests, dist/main.js and dist/vendor/sdk.js. */
export async function assembleGreeter(version: string, into: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(GREETER, "package.json"), "utf8")) as Record<string, unknown>;
  await mkdir(join(into, "dist", "vendor"), { recursive: true });
  await writeFile(join(into, "package.json"), `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
  await writeFile(join(into, "openclaw.plugin.json"), await readFile(join(GREETER, "openclaw.plugin.json")));
  await writeFile(join(into, "dist", "main.js"), await readFile(join(GREETER, "src", "main.js")));
  await build({
    entryPoints: [SDK],
    outfile: join(into, "dist", "vendor", "sdk.js"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    logLevel: "silent",
  });
}

/** The greeter plugin packed as `version`; equal bytes at every call. */
export async function packGreeter(version: string): Promise<Packed> {
  const dir = await mkdtemp(join(tmpdir(), "greeter-"));
  try {
    await assembleGreeter(version, dir);
    return packPlugin(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

if (import.meta.main) {
  const [name, version, out] = process.argv.slice(2);
  if (name !== "greeter" || version === undefined || out === undefined)
    throw new MooringError("USAGE", "node examples/plugins/build.ts greeter VERSION OUT.tgz");
  const packed = await packGreeter(version);
  await writeFile(out, packed.tgz);
  console.log(`${out} ${packed.digest}`);
}
