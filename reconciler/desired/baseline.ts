import { canon, isJsonObject, type Json } from "#base/canonical/index.ts";
import type { Loaded } from "./document.ts";
import { isSelected } from "./select.ts";
import type { Path } from "./yaml.ts";

/** One field that baselines set on a machine, and which baseline set it first. */
export type SetField = { readonly value: Json; readonly from: Loaded<"Baseline">; readonly path: Path };
export type Merged = { readonly fields: ReadonlyMap<string, SetField>; readonly conflicts: readonly Conflict[] };
export type Conflict = { readonly field: string; readonly first: SetField; readonly second: SetField };

/** What the baselines set together, field by field: `sshd.passwordAuthentication`, `openclaw.config.model`, `accounts.admin`. Order of the
 *  list does not change the outcome; a field set differently twice is a conflict. Pure. */
export function mergeBaselines(baselines: readonly Loaded<"Baseline">[]): Merged {
  const fields = new Map<string, SetField>();
  const conflicts: Conflict[] = [];
  for (const from of baselines) {
    for (const [field, value, path] of fieldsOf(from)) {
      const first = fields.get(field);
      const second = { value, from, path };
      if (first === undefined) fields.set(field, second);
      else if (canon(first.value) !== canon(value)) conflicts.push({ field, first, second });
    }
  }
  return { fields, conflicts };
}

/** Baselines that take a machine with these labels. */
export function baselinesFor(
  baselines: readonly Loaded<"Baseline">[],
  labels: Readonly<Record<string, string>>,
): readonly Loaded<"Baseline">[] {
  return baselines.filter((item) => isSelected(item.doc.spec.machines, labels));
}

type Field = readonly [field: string, value: Json, path: Path];

function fieldsOf(from: Loaded<"Baseline">): readonly Field[] {
  const { runtime, sshd, accounts, posture, power, openclaw, onViolation } = from.doc.spec;
  const fields: Field[] = [];
  if (runtime !== undefined) fields.push(["runtime", plain(runtime), ["spec", "runtime"]]);
  for (const [group, members] of Object.entries({ sshd, posture, power })) {
    for (const [name, value] of Object.entries(members ?? {}))
      if (value !== undefined) fields.push([`${group}.${name}`, value, ["spec", group, name]]);
  }
  for (const [i, account] of (accounts ?? []).entries()) {
    fields.push([`accounts.${account.name}`, { ...account, keys: [...account.keys].sort() }, ["spec", "accounts", i]]);
  }
  if (openclaw !== undefined) fields.push(...openclawFields(openclaw));
  if (onViolation !== undefined) fields.push(["onViolation", onViolation, ["spec", "onViolation"]]);
  return fields;
}

function openclawFields(openclaw: {
  readonly version: string;
  readonly digest: string;
  readonly config: Readonly<Record<string, Json>>;
}): readonly Field[] {
  const { version, digest, config } = openclaw;
  const own = Object.entries(config).map(
    ([name, value]): Field => [`openclaw.config.${name}`, value, ["spec", "openclaw", "config", name]],
  );
  return [
    ["openclaw.version", version, ["spec", "openclaw", "version"]],
    ["openclaw.digest", digest, ["spec", "openclaw", "digest"]],
    ...own,
  ];
}

function plain(value: object): Json {
  const copy = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Json;
  return isJsonObject(copy) ? copy : null;
}
