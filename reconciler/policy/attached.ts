import { canon } from "#base/canonical/index.ts";
import type { AnyLoaded, FleetRepo, Loaded } from "../desired/index.ts";
import { lockPath } from "../desired/lock.ts";

/** JSON Pointers of what belongs to a document and lies in other files, where it differs: `/trust` of the Fleet, a Plugin's `/spec/verify/key` (the key,
 *  not its path) and `/lock`. Pure; the repos' files are compared once. */
export function attachedFields(base: FleetRepo, head: FleetRepo): (doc: AnyLoaded, before: AnyLoaded) => readonly string[] {
  const trust = trustKey(base) === trustKey(head) ? [] : ["/trust"];
  return (doc, before) => {
    if (doc.kind === "Fleet") return trust;
    if (doc.kind !== "Plugin" || before.kind !== "Plugin") return [];
    const isKeySame = signerKey(before, base) === signerKey(doc, head);
    return [...(isKeySame ? [] : ["/spec/verify/key"]), ...(areLocksSame(locksOf(before, base), locksOf(doc, head)) ? [] : ["/lock"])];
  };
}

/** Everything under trust/: who may sign releases, secrets and commits, and until when. */
function trustKey({ trust }: FleetRepo): string {
  const { keys, vaultKeys, namespaces, times } = trust.signers;
  const signers = [keys, vaultKeys, [...namespaces], [...times]];
  return canon(JSON.parse(JSON.stringify([signers, trust.keys, trust.recipients, trust.trustedRoot, trust.openpgp])));
}

function signerKey({ doc: { spec } }: Loaded<"Plugin">, { keys }: FleetRepo): string | undefined {
  return spec.verify.key === undefined ? undefined : keys.get(spec.verify.key);
}

type Lock = FleetRepo["locks"] extends ReadonlyMap<string, infer T> ? T : never;

function locksOf({ name, doc: { spec } }: Loaded<"Plugin">, { locks }: FleetRepo): readonly Lock[] {
  const own = spec.overrides.flatMap(({ version }) => (version === undefined ? [] : [lockPath(name, version, true)]));
  return [lockPath(name, spec.version, false), ...own].flatMap((path) => locks.get(path) ?? []);
}

function areLocksSame(before: readonly Lock[], after: readonly Lock[]): boolean {
  return before.length === after.length && before.every((lock, i) => lock === after[i] || lockKey(lock) === lockKey(after[i]!));
}

/** The digest of the tree stands for its files. */
function lockKey(lock: Lock): string {
  return JSON.stringify({ ...lock, files: null });
}
