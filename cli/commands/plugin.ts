import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Result } from "./result.ts";

const PUB = "PEM file with the signer's P-256 public key";

/** `mooring plugin …`: an author's and a reviewer's tools, no hub needed. */
export function addPluginCommands(program: Command, _result: Result): void {
  const group = program.command("plugin").description("pack, sign, verify and pin plugin bundles");
  group
    .command("pack")
    .description("make the deterministic archive of a plugin's folder")
    .argument("<dir>")
    .requiredOption("-o, --out <file>", "where the .tgz goes")
    .action(async (dir: string, { out }: { out: string }) => {
      const { pluginPack } = await import("../plugin/index.ts");
      const { id, version, digest, files, bytes } = await pluginPack({ dir: resolve(dir), out: resolve(out) });
      say(`${id} ${version}: ${files} files, ${bytes} bytes`, digest);
    });
  group
    .command("sign")
    .description("sign an archive; writes FILE.sigstore.json")
    .argument("<file>")
    .requiredOption("--key <file>", "PEM file with a P-256 private key")
    .option("--serial <n>", "grows with every version; default 1", serialOf)
    .action(async (file: string, { key, serial }: { key: string; serial?: number }) => {
      const { pluginSign } = await import("../plugin/index.ts");
      const { out, statement } = await pluginSign({ file: resolve(file), key, ...(serial === undefined ? {} : { serial }) });
      say(`signed ${statement.id} ${statement.version}, serial ${statement.serial}`, out);
    });
  group
    .command("verify")
    .description("check signature, digest and every file of an archive")
    .argument("<file>")
    .requiredOption("--key <file>", PUB)
    .action(async (file: string, { key }: { key: string }) => {
      const { pluginVerify } = await import("../plugin/index.ts");
      const { id, version, serial, bundle } = await pluginVerify({ file: resolve(file), key });
      say(`verified ${id} ${version}, serial ${serial}`, bundle);
    });
  addPinAndInspect(group);
}

function addPinAndInspect(group: Command): void {
  group
    .command("pin")
    .description("write version, digest, URL and lock of a signed archive into a checkout of the fleet repo")
    .argument("<file>")
    .requiredOption("--repo <dir>", "the checkout")
    .requiredOption("--url <url>", "where hubs fetch the archive")
    .option("--key <file>", `${PUB}; default: the one the plugin's document names`)
    .action(async (file: string, { repo, url, key }: { repo: string; url: string; key?: string }) => {
      const { pluginPin } = await import("../plugin/index.ts");
      const { lock, written } = await pluginPin({ file: resolve(file), repo: resolve(repo), url, ...(key === undefined ? {} : { key }) });
      say(`pinned ${lock.name} ${lock.version}, serial ${lock.serial}`, ...written);
    });
  group
    .command("inspect")
    .description("what an archive holds and what the signature beside it claims (not verified)")
    .argument("<file>")
    .action(async (file: string) => {
      const { pluginInspect } = await import("../plugin/index.ts");
      const { id, version, digest, tree, main, bytes, list, claims } = await pluginInspect({ file: resolve(file) });
      const signature =
        claims === null ? "no signature beside it" : `claims serial ${claims.serial}; ${claims.fits ? "fits" : "does NOT fit"}`;
      say(`${id} ${version}, main ${main}, ${bytes} bytes`, `archive ${digest}`, `tree    ${tree}`, signature);
      for (const [path, mode, size] of list) process.stdout.write(`  ${mode.toString(8)} ${String(size).padStart(9)}  ${path}\n`);
    });
}

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n  ")}\n`);
}

function serialOf(text: string): number {
  const serial = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(serial)) return serial;
  throw new InvalidArgumentError("it is a whole number from 1 on");
}
