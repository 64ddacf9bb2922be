import { MooringError } from "#base/errors/index.ts";
import { nearest } from "#reconciler/desired/index.ts";
import { type Field, fieldsOf } from "#schemas/fleet/fields.ts";
import { type Kind, KINDS } from "#schemas/fleet/index.ts";
import { fileName } from "#schemas/fleet/json-schema.ts";

/** A kind, and the field of it that a path names; null = the kind itself. */
export type Found = { readonly kind: Kind; readonly field: Field | null };

/** What `plugin.spec.rollout` names. Kinds in any case, plural or with dashes; list indices are ignored, and `spec` may be left out. Throws USAGE with
 *  what was perhaps meant. */
export function find(path: string): Found {
  const [first = "", ...rest] = path
    .replaceAll(/\[\d*\]/g, "")
    .split(".")
    .filter((step) => step !== "");
  const kind = kindOf(first);
  let fields = fieldsOf(kind);
  let field: Field | null = null;
  const steps = rest.length > 0 && !fields.some(({ name }) => name === rest[0]) ? inSpec(rest, fields) : rest;
  for (const step of steps) {
    const next: Field | null = stepInto(field, fields, step);
    if (next === null) throw unknown(path, step, field, fields);
    field = next;
    fields = next.children;
  }
  return { kind, field };
}

/** `plugin.rollout` means `plugin.spec.rollout`. */
function inSpec(steps: readonly string[], fields: readonly Field[]): readonly string[] {
  const names = fields.map(({ name }) => name);
  return nearest(steps[0]!, names) === null ? ["spec", ...steps] : steps;
}

/** The keys of a map of maps are anything: `secret.spec.versions.3.file`. */
function stepInto(field: Field | null, fields: readonly Field[], step: string): Field | null {
  const own = fields.find(({ name }) => name === step);
  if (own !== undefined) return own;
  const isMapOfMaps = field !== null && fields.some(({ path }) => path.at(-2) === "*");
  return isMapOfMaps && /^(\*|\d+)$/.test(step) ? field : null;
}

const SHORT: ReadonlyMap<string, Kind> = new Map([
  ["grant", "SecretGrant"],
  ["rotation", "RotationPolicy"],
]);

function kindOf(word: string): Kind {
  const kinds = Object.keys(KINDS) as Kind[];
  const plain = word.toLowerCase().replaceAll("-", "");
  const singular = plain.replace(/ies$/, "y").replace(/s$/, "");
  const found = kinds.find((kind) => [plain, singular].includes(kind.toLowerCase())) ?? SHORT.get(singular);
  if (found !== undefined) return found;
  const names = kinds.map(fileName);
  const near = nearest(word, names);
  throw new MooringError("USAGE", `mooring explain ${word}`, {
    why: "there is no such kind",
    fix: near === null ? `write one of ${names.join(", ")}` : `did you mean \`${near}\`?`,
  });
}

function unknown(path: string, step: string, field: Field | null, fields: readonly Field[]): MooringError {
  const names = fields.map(({ name }) => name);
  const near = nearest(step, names);
  const where = field === null ? "the document" : field.path.join(".");
  const list = names.length === 0 ? `${where} has no fields of its own` : `write one of ${names.join(", ")}`;
  return new MooringError("USAGE", `mooring explain ${path}`, {
    why: `there is no field ${step} in ${where}`,
    fix: near === null ? list : `did you mean \`${near}\`?`,
  });
}
