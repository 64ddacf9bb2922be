import type { PluginStatement } from "#proof/sigstore/index.ts";
import { type PluginLock, pluginLock } from "#schemas/fleet/index.ts";

/** `plugins/<id>.lock.json`: what of a bundle a review sees, in the form the resolver reads. `wants` is what the plugin's own manifest asks for. */
export function lockOf(statement: PluginStatement, wants?: readonly string[]): PluginLock {
  const { id, version, serial, bundle, tree, main, files } = statement;
  const own = wants === undefined ? {} : { wants };
  return pluginLock.parse({ v: 1, name: id, version, serial, digest: bundle, tree, main, ...own, files });
}

/** The text of a lock file: one line a file, so that a pull request shows which files changed. */
export function lockText(lock: PluginLock): string {
  const { files, ...head } = lock;
  const lines = Object.entries(head).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  const list = files.map((file) => `    ${JSON.stringify(file)}`).join(",\n");
  return `{\n${lines.join("\n")}\n  "files": [\n${list}\n  ]\n}\n`;
}
