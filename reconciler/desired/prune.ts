import type { AnyLoaded } from "./document.ts";
import { type Finding, finding, type Level, START } from "./finding.ts";
import { goneObjects } from "./gone.ts";
import type { FleetRepo } from "./repo.ts";
import type { Resolved } from "./resolve.ts";

/** A tree and what it gives: the guard looks at effects, not at files alone. */
export type Pruned = { readonly repo: FleetRepo; readonly resolved: Pick<Resolved, "machines"> };

/** From how many objects of a kind on a share means something: of three machines one is a third. */
const COUNTS_FROM = 5;

/** What going from `base` to `head` would take away beyond what the base allows (`spec.prune`): a change can't lift the guard that judges it. Machines,
 *  plugins and grants count by kind; a renamed one has not gone; one that is left without any effect (a plugin on no machine, a machine without
 *  plugins) has. An error in `mode: confirm` until somebody confirms, a warning in `mode: auto`. A fleet that loses all its machines is refused in
 *  every mode. Pure; places are the base's. */
export function guardPrune(base: Pruned, head: Pruned, options: { readonly confirmedBy?: readonly string[] } = {}): readonly Finding[] {
  const { mode, maxDeletePercent } = base.repo.fleet.doc.spec.prune;
  if (base.repo.machines.length > 0 && head.repo.machines.length === 0)
    return [finding("FLEET_EMPTIED", base.repo.fleet.file, START, `all ${base.repo.machines.length} machines leave the fleet`)];
  const { gone, renamed } = goneObjects(base.repo, head.repo);
  const lost = [...gone, ...withoutEffect(base, head, new Map(renamed.map(({ from, to }) => [`${from.kind} ${from.name}`, to.name])))];
  return (["Machine", "Plugin", "SecretGrant"] as const).flatMap((kind) => {
    const had = { Machine: base.repo.machines, Plugin: base.repo.plugins, SecretGrant: base.repo.grants }[kind].length;
    const own = lost.filter((item) => item.kind === kind);
    if (had < COUNTS_FROM || own.length * 100 <= maxDeletePercent * had) return [];
    const found = guardFinding(kind, own, had, maxDeletePercent, mode === "auto" ? "warning" : "error", options.confirmedBy ?? []);
    return [{ ...found, fix: confirmWords(base.repo) }];
  });
}

const NOUNS = { Machine: "machines", Plugin: "plugins", SecretGrant: "grants" } as const;

function guardFinding(
  kind: keyof typeof NOUNS,
  lost: readonly AnyLoaded[],
  had: number,
  limit: number,
  level: Level,
  confirmedBy: readonly string[],
): Finding {
  const first = lost[0]!;
  const names = `${lost
    .slice(0, 3)
    .map(({ name }) => name)
    .join(", ")}${lost.length > 3 ? ` and ${lost.length - 3} more` : ""}`;
  const message = `${lost.length} of ${had} ${NOUNS[kind]} would go or stand idle (${names}); spec.prune.maxDeletePercent allows ${limit} %`;
  const isConfirmed = confirmedBy.length > 0;
  return {
    ...finding(
      "PRUNE_UNCONFIRMED",
      first.file,
      first.locate(["metadata", "name"]),
      isConfirmed ? `${message}; confirmed by ${confirmedBy.join(", ")}` : message,
    ),
    level: isConfirmed ? "notice" : level,
    subject: `${kind}/${first.name} /metadata/name`,
  };
}

/** Who may say that it was meant, and how. */
function confirmWords({ fleet }: FleetRepo): string {
  const named = fleet.doc.spec.trust.actions.flatMap(({ actions, principals }) => (actions.includes("prune") ? principals : []));
  const names = [...new Set(named)];
  const other = "spec.prune changes first, in a commit of its own";
  if (names.length === 0)
    return `compare the list with what you meant; nobody is named for prune in spec.trust.actions, so to go on ${other}`;
  const as = names.length === 1 ? names[0] : "NAME";
  const who = names.length === 1 ? names[0] : `one of ${names.join(", ")}`;
  return `compare the list with what you meant; to go on, ${who} runs \`mooring prune confirm --source URL --key FILE --as ${as} --reason TEXT\`, or ${other}`;
}

/** Objects that stay in the repo and do nothing any more: a mistyped label takes as much away as a deleted file. */
function withoutEffect(base: Pruned, head: Pruned, renamed: ReadonlyMap<string, string>): readonly AnyLoaded[] {
  const [before, after] = [usedIn(base), usedIn(head)];
  const all: readonly AnyLoaded[] = [...base.repo.machines, ...base.repo.plugins, ...base.repo.grants];
  const left = new Set([...head.repo.machines, ...head.repo.plugins, ...head.repo.grants].map(({ kind, name }) => `${kind} ${name}`));
  return all.filter(({ kind, name }) => {
    const id = `${kind} ${name}`;
    const now = `${kind} ${renamed.get(id) ?? name}`;
    return before.has(id) && left.has(now) && !after.has(now);
  });
}

function usedIn({ resolved }: Pruned): ReadonlySet<string> {
  const used = new Set<string>();
  const kept = new Map<string, string>(); // most keys come a thousand times
  for (const [machine, { index }] of resolved.machines) {
    for (const [key] of index) {
      let id = kept.get(key);
      if (id === undefined) kept.set(key, (id = idOf(key)));
      if (id !== "") used.add(id);
      if (id.startsWith("Plugin ")) used.add(`Machine ${machine}`);
    }
  }
  return used;
}

/** `plugin/mail` → the plugin, `grant/mail/team/db` → the grant of that name; "" for the rest. */
function idOf(key: string): string {
  const [kind, name = ""] = key.split("/");
  return kind === "plugin" ? `Plugin ${name}` : kind === "grant" ? `SecretGrant ${name}` : "";
}
