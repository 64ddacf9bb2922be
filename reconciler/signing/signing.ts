import { type Digest, digestOf } from "#base/canonical/index.ts";
import { type Clock, timeOf } from "#base/time/index.ts";
import { HUB_PRINCIPAL } from "#proof/sshsig/index.ts";
import type { FleetTarget } from "../machine/index.ts";
import type { Branch, Selection } from "../revision/index.ts";
import { commitFiles, type CommitFiles, RELEASES_BRANCH } from "../source/index.ts";
import { hubDocuments } from "./documents.ts";
import { keyFault } from "./key-fault.ts";
import type { HubKey } from "./hub-key.ts";

/** What the hub saw at its last look. */
export type Seen = {
  readonly head: Selection["head"] | null;
  readonly target: FleetTarget | null;
  readonly branch: Branch;
  readonly authors: Digest | null;
};

/** Gives how many documents it signed and pushed after a look; throws what the push throws,
 *  RESOLVER_UNKNOWN and HUB_KEY_UNUSABLE when it may not sign what waits for it. */
export type HubSigning = (seen: Seen, signal: AbortSignal) => Promise<number>;

export type HubSigningDeps = {
  readonly key: HubKey;
  readonly pin: Digest;
  readonly source: Omit<CommitFiles, "branch" | "files" | "message" | "author" | "sign">;
  readonly clock: Clock;
  readonly random: () => number;
};

/** Signs what roles `by: hub` ask for at main's newest commit, and pushes it to the releases branch, where machines, vault and CLI find it like any other
 *  signature. It MUST be called only after a look that passed, so after the commit rule of the last verified revision. */
export function hubSigning({ key, pin, source, clock, random }: HubSigningDeps): HubSigning {
  let done: Selection["head"] | null = null;
  return async ({ head, target, branch, authors }, signal) => {
    if (head === null || head === done || head.outcome.at !== "read" || head.cover === null) return 0;
    const now = timeOf(clock());
    const documents = hubDocuments({
      outcome: head.outcome,
      cover: head.cover,
      inForce: target,
      branch,
      authors,
      pin,
      now,
      key: key.key,
    });
    const fault = keyFault(head, key.key, target?.head.release.doc.serial ?? 0);
    if (fault !== null) throw fault;
    const files = new Map<string, Uint8Array>();
    for (const { folder, name, namespace, bytes } of documents) {
      files.set(`${folder}/${name}`, bytes);
      const armored = key.sign(bytes, namespace);
      files.set(`${folder}/${HUB_PRINCIPAL}.${digestOf(armored).slice(7, 15)}.sig`, Buffer.from(armored)); // a plain name somebody could have taken
    }
    if (documents.length > 0) await push(source, files, { now: clock, random, signal });
    done = head;
    return documents.length;
  };
}

async function push(
  source: HubSigningDeps["source"],
  files: ReadonlyMap<string, Uint8Array>,
  deps: Parameters<typeof commitFiles>[1],
): Promise<void> {
  const author = { name: "mooring hub", email: "hub@localhost" };
  await commitFiles({ ...source, branch: RELEASES_BRANCH, files, message: "release: signed by the hub", author }, deps);
}
