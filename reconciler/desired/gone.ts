import { canon, type Json } from "#base/canonical/index.ts";
import type { Kind } from "#schemas/fleet/index.ts";
import type { AnyLoaded, Loaded } from "./document.ts";
import { byText } from "./finding.ts";
import type { FleetRepo } from "./repo.ts";

/** An object of the base that the head does not have under its name: gone, or under another name. */
export type Gone = {
  readonly gone: readonly AnyLoaded[];
  readonly renamed: readonly { readonly from: AnyLoaded; readonly to: AnyLoaded }[];
};

const LISTS = ["machines", "baselines", "plugins", "secrets", "grants", "rotations", "policies"] as const;

/** What leaves the fleet repo between two trees. A rename is told by what stays: a machine's keys, a plugin's bundle, a secret's files, else the whole
 *  document but its name. Pure; by kind and name. */
export function goneObjects(base: FleetRepo, head: FleetRepo): Gone {
  const gone: AnyLoaded[] = [];
  const renamed: { readonly from: AnyLoaded; readonly to: AnyLoaded }[] = [];
  for (const list of LISTS) {
    const [had, has] = [objectsOf(base, list), objectsOf(head, list)];
    const names = new Set(has.map(({ name }) => name));
    const before = new Set(had.map(({ name }) => name));
    const left = had.filter(({ name }) => !names.has(name));
    const free = left.length === 0 ? [] : has.filter(({ name }) => !before.has(name));
    const byMark = new Map<string, AnyLoaded>();
    for (const item of free) for (const mark of marksOf(item)) if (!byMark.has(mark)) byMark.set(mark, item);
    for (const from of left) {
      const to = marksOf(from)
        .map((mark) => byMark.get(mark))
        .find((item) => item !== undefined);
      if (to === undefined) gone.push(from);
      else {
        renamed.push({ from, to });
        for (const [mark, item] of byMark) if (item === to) byMark.delete(mark); // one new name takes one old
      }
    }
  }
  return { gone, renamed };
}

export function objectsOf(repo: FleetRepo, list: (typeof LISTS)[number]): readonly AnyLoaded[] {
  return [...(repo[list] as readonly AnyLoaded[])].sort((a, b) => byText(a.name, b.name));
}

/** What says that two documents of one kind are the same thing; the first that fits counts. */
function marksOf(item: AnyLoaded): readonly string[] {
  const whole = `document ${canon(plain(item.doc.spec))}`;
  const own: Partial<Record<Kind, () => readonly string[]>> = {
    Machine: () => {
      const { hostKeys, enclave } = (item as Loaded<"Machine">).doc.spec;
      return [`kx ${enclave.kx}`, `sig ${enclave.sig}`, ...hostKeys.map((key) => `host ${key}`)];
    },
    Plugin: () => [`bundle ${(item as Loaded<"Plugin">).doc.spec.digest}`],
    Secret: () => Object.values((item as Loaded<"Secret">).doc.spec.versions).map(({ digest }) => `file ${digest}`),
  };
  return own[item.kind]?.() ?? [whole];
}

function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
