/** One file of a tree. `oid` names its content (git's blob id, or any digest of it): equal oids mean equal bytes. */
export type FleetFile = { readonly oid: string; readonly read: () => Uint8Array | Promise<Uint8Array> };

/** A tree: path from the root, `/` between parts, to its file. The git source and a folder reader both give one. */
export type FleetFiles = ReadonlyMap<string, FleetFile>;

/** A tree from memory, for tests and generated fleets. The text is its own oid. */
export function filesOf(tree: Readonly<Record<string, string | Uint8Array>>): FleetFiles {
  const files = new Map<string, FleetFile>();
  for (const [path, content] of Object.entries(tree)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    files.set(path, { oid: typeof content === "string" ? content : Buffer.from(content).toString("base64"), read: () => bytes });
  }
  return files;
}
