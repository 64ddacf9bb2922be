import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createReadStream, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { type Packed, packPlugin } from "#bundle/pack/index.ts";
import { assembleGreeter } from "../../examples/plugins/build.ts";
import { must } from "./run.ts";
import type { World } from "./world.ts";

/** A web server with the plugin's archives, and the key of whoever releases the plugin. */
export type Bundles = {
  readonly url: (file: string) => string;
  /** Public half, as trust/keys/release.pub. */
  readonly publicKey: string;
  /** Packs and signs a version of a plugin and puts it on the server; gives the archive's path. */
  readonly publish: (version: string, serial: number, plugin?: PluginName) => Promise<string>;
};

/** The example, and the same code under another name, with a secret of its own. */
export type PluginName = "greeter" | "farewell";

export async function startBundles(world: World): Promise<Bundles> {
  const folder = world.folder("bundles", null);
  const keyFile = join(world.folder("plugin-author", null), "release.pem");
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(keyFile, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  const server = createServer((req, res) => {
    const path = join(folder, basename(req.url ?? ""));
    if (!existsSync(path)) return void res.writeHead(404).end();
    createReadStream(path).pipe(res.writeHead(200));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.onClose(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: (file) => `http://127.0.0.1:${port}/${basename(file)}`,
    publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
    publish: async (version, serial, plugin = "greeter") => {
      const file = join(folder, `${plugin}-${version}.tgz`);
      writeFileSync(file, (await pack(world, plugin, version)).tgz);
      await must(world.code.program("mooring"), ["plugin", "sign", file, "--key", keyFile, "--serial", String(serial)]);
      return file;
    },
  };
}

async function pack(world: World, plugin: PluginName, version: string): Promise<Packed> {
  const tree = mkdtempSync(join(world.root, "plugin-"));
  await assembleGreeter(version, tree);
  if (plugin === "farewell") for (const name of ["package.json", "openclaw.plugin.json", "dist/main.js"]) rename(join(tree, name));
  return packPlugin(tree);
}

function rename(path: string): void {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replaceAll("greeter", "farewell").replaceAll("Greeter", "Farewell").replaceAll("greeting", "farewell"));
}
