/** Writes version, digest and lock of the greeter plugin, as packed from examples/plugins, into examples/fleet-repo; a test fails when they
 *  differ. Run it after the SDK or the plugin changed. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packGreeter } from "../examples/plugins/build.ts";
import { lockText } from "#cli/plugin/index.ts";

const VERSION = "1.0.0";
const folder = join(import.meta.dirname, "../examples/fleet-repo/plugins");

const { digest, tree, manifest, files } = await packGreeter(VERSION);
const document = join(folder, "greeter.yaml");
writeFileSync(document, readFileSync(document, "utf8").replace(/^ {2}digest: .*$/m, `  digest: ${digest}`));
writeFileSync(
  join(folder, "greeter.lock.json"),
  lockText({ v: 1, name: manifest.id, version: VERSION, serial: 1, digest, tree, main: manifest.main, files }),
);
