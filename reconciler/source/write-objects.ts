import fs from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { exists } from "./exists.ts";
import type { Oid } from "./objects.ts";
import type { TreeItem } from "./parse.ts";

export type Person = { readonly name: string; readonly email: string };

export type NewCommit = {
  readonly tree: Oid;
  readonly parent: Oid | null;
  readonly author: Person;
  readonly message: string;
  readonly seconds: number;
  /** Armored signature over the commit without it. */
  readonly sign?: ((payload: Uint8Array) => Promise<string>) | undefined;
};

/** Makes objects, each under its id. */
export type Maker = {
  blob(bytes: Uint8Array): Promise<Oid>;
  /** SOURCE_TREE_REFUSED for a mode that git writes no more. */
  tree(items: readonly TreeItem[]): Promise<Oid>;
  commit(commit: NewCommit): Promise<Oid>;
};

/** isomorphic-git as maker of loose objects in `gitdir`: a folder for one push that goes with it, since they are not written durably. */
export async function makerIn(gitdir: string): Promise<Maker> {
  const git = await import("isomorphic-git"); // heavy, and only who pushes needs it
  const at = { fs, gitdir };
  return {
    blob: (bytes) => git.writeBlob({ ...at, blob: bytes }),
    tree: async (items) => git.writeTree({ ...at, tree: items.map(entryOf) }),
    commit: async ({ tree, parent, author, message, seconds, sign }) => {
      const who = { name: plain(author.name), email: plain(author.email), timestamp: seconds, timezoneOffset: 0 };
      const signed = sign === undefined ? {} : { signingKey: "ours", onSign: signer(sign) };
      const parents = parent === null ? [] : [parent];
      // `ref` is looked up and not there: this folder holds objects alone.
      return git.commit({
        ...at,
        ref: "refs/heads/new",
        noUpdateBranch: true,
        tree,
        parent: parents,
        author: who,
        message: text(message),
        ...signed,
      });
    },
  };
}

type Sign = (payload: Uint8Array) => Promise<string>;

function signer(sign: Sign): (asked: { readonly payload: string }) => Promise<{ signature: string }> {
  return async ({ payload }) => ({ signature: await sign(Buffer.from(payload)) });
}

const TYPES: Readonly<Record<string, "blob" | "tree" | "commit">> = {
  "40000": "tree",
  "100644": "blob",
  "100755": "blob",
  "120000": "blob",
  "160000": "commit",
};

function entryOf({ mode, name, oid }: TreeItem): { mode: string; path: string; oid: Oid; type: "blob" | "tree" | "commit" } {
  const type = TYPES[mode];
  // isomorphic-git would write another mode in its place, and so change what nobody asked to change.
  if (type === undefined) throw new MooringError("SOURCE_TREE_REFUSED", name, { why: `a file of mode ${mode}` });
  return { mode, path: name, oid, type };
}

function plain(name: string): string {
  return name.replace(/[<>\r\n\0]/g, "").trim();
}

/** isomorphic-git takes a line that begins so for the signature, and asks for one over something else. */
function text(message: string): string {
  const clean = message.replaceAll("\0", "").trim();
  if (clean === "" || /^gpgsig/m.test(clean))
    throw new MooringError("SOURCE_MISCONFIGURED", "message of a commit", {
      why: "it is empty, or a line of it begins with gpgsig",
      fix: "use other words",
    });
  return clean;
}

/** Puts the loose objects of `scratch` into the repository `gitdir`, each durably, whole or not at all; what is there already is left. */
export async function publish(scratch: string, gitdir: string): Promise<void> {
  for (const name of await readdir(join(scratch, "objects"), { recursive: true })) {
    const path = join(gitdir, "objects", name);
    if (!/^[0-9a-f]{2}\/[0-9a-f]{38}$/.test(name) || (await exists(path))) continue;
    await makeFolder(dirname(path), 0o755);
    await writeDurable(path, await readFile(join(scratch, "objects", name)), 0o444);
  }
}
