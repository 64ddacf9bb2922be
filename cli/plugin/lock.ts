import type { Digest, Json } from "#base/canonical/index.ts";
import type { TreeFile } from "#proof/root/index.ts";
import type { PluginStatement } from "#proof/sigstore/index.ts";

/** `plugins/<id>.lock.json`: what of a bundle a review sees. Written by `mooring plugin pin`, read by the resolver. */
export type PluginLock = {
  readonly v: 1;
  readonly name: string;
  readonly version: string;
  readonly serial: number;
  readonly digest: Digest;
  readonly tree: Digest;
  readonly main: string;
  readonly files: readonly TreeFile[];
};

export function lockOf(statement: PluginStatement): PluginLock {
  const { id, version, serial, bundle, tree, main, files } = statement;
  return { v: 1, name: id, version, serial, digest: bundle, tree, main, files };
}

/** The text of a lock file: one line a file, so that a pull request shows which files changed. */
export function lockText(lock: PluginLock): string {
  const { files, ...head } = lock;
  const lines = Object.entries(head).map(([name, value]: [string, Json]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  const list = files.map((file) => `    ${JSON.stringify(file)}`).join(",\n");
  return `{\n${lines.join("\n")}\n  "files": [\n${list}\n  ]\n}\n`;
}
