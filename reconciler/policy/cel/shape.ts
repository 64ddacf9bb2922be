import type { Json } from "#base/canonical/index.ts";
import type { Kind } from "#schemas/fleet/index.ts";
import { isJsonObject } from "#base/canonical/index.ts";
import { createRequire } from "node:module";

/** What a value may be, as far as field names go. `any` = nobody knows: free fields, results of functions. */
export type Shape =
  | { readonly is: "any" }
  /** `values` = the only texts it may be, where the schema lists them. */
  | { readonly is: "scalar"; readonly values?: readonly string[] }
  | { readonly is: "list"; readonly of: Shape }
  /** `rest` = values under names that the schema does not list (labels, versions); null = there are none. */
  | { readonly is: "map"; readonly fields: ReadonlyMap<string, Shape>; readonly rest: Shape | null }
  | { readonly is: "one-of"; readonly shapes: readonly Shape[] };

export const ANY: Shape = { is: "any" };
export const SCALAR: Shape = { is: "scalar" };

/** The shape of documents of these kinds, out of schemas/json. */
export function shapeOfKinds(kinds: readonly Kind[]): Shape {
  return oneOf(kinds.map(shapeOfKind));
}

export function oneOf(shapes: readonly Shape[]): Shape {
  const [first] = shapes;
  return shapes.length === 1 && first !== undefined ? first : { is: "one-of", shapes };
}

export function mapOf(fields: Readonly<Record<string, Shape>>): Shape {
  return { is: "map", fields: new Map(Object.entries(fields)), rest: null };
}

/** The field `name` of a shape; a list of the names that there are when it has none of this name. */
export function fieldOf(shape: Shape, name: string): Shape | readonly string[] {
  switch (shape.is) {
    case "any":
      return ANY;
    case "scalar":
    case "list":
      return [];
    case "map":
      return shape.fields.get(name) ?? shape.rest ?? [...shape.fields.keys()];
    case "one-of": {
      const results = shape.shapes.map((one) => fieldOf(one, name));
      const found = results.filter(isShape);
      return found.length > 0 ? oneOf(found) : [...new Set(results.flatMap((one) => (isShape(one) ? [] : one)))];
    }
    default:
      return shape satisfies never;
  }
}

export function isShape(found: Shape | readonly string[]): found is Shape {
  return !Array.isArray(found);
}

/** The only texts that a value of this shape may be; null where any may. */
export function valuesOf(shape: Shape): readonly string[] | null {
  if (shape.is === "scalar") return shape.values ?? null;
  if (shape.is !== "one-of") return shape.is === "any" ? null : [];
  const all = shape.shapes.map(valuesOf);
  return all.every((one) => one !== null) ? all.flat() : null;
}

/** What a comprehension over `shape` binds: items of a list, names of a map. */
export function itemOf(shape: Shape): Shape {
  if (shape.is === "list") return shape.of;
  if (shape.is === "one-of") return oneOf(shape.shapes.map(itemOf));
  return shape.is === "map" ? SCALAR : ANY;
}

/** What an index gives: an item of a list, or any value of a map. */
export function elementOf(shape: Shape): Shape {
  if (shape.is === "list") return shape.of;
  if (shape.is === "map") return oneOf([...shape.fields.values(), ...(shape.rest === null ? [] : [shape.rest])]);
  return shape.is === "one-of" ? oneOf(shape.shapes.map(elementOf)) : ANY;
}

const known = new Map<Kind, Shape>();
const load = createRequire(import.meta.url);

function shapeOfKind(kind: Kind): Shape {
  let shape = known.get(kind);
  if (shape === undefined) {
    const file = kind.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    const schema = load(`../../../schemas/json/${file}.json`) as Json;
    known.set(kind, (shape = shapeOf(schema, schema)));
  }
  return shape;
}

function shapeOf(schema: Json | undefined, root: Json): Shape {
  if (!isJsonObject(schema)) return ANY;
  const { $ref: ref, anyOf, oneOf: either, allOf, type, items, properties, additionalProperties: rest } = schema;
  if (typeof ref === "string") return ref.startsWith("#/definitions/__") ? ANY : shapeOf(definition(root, ref), root);
  const parts = [anyOf, either, allOf].find((list) => Array.isArray(list));
  if (parts !== undefined) return oneOf((parts as readonly Json[]).map((part) => shapeOf(part, root)));
  if (type === "array") return { is: "list", of: shapeOf(items, root) };
  if (type !== "object") return type === undefined ? ANY : scalarOf(schema);
  const fields = isJsonObject(properties) ? Object.entries(properties).map(([name, one]) => [name, shapeOf(one, root)] as const) : [];
  return { is: "map", fields: new Map(fields), rest: isJsonObject(rest) ? shapeOf(rest, root) : rest === false ? null : ANY };
}

function scalarOf({ enum: listed, const: only }: Readonly<Record<string, Json>>): Shape {
  const values = Array.isArray(listed) ? listed : [only];
  return values.every((one) => typeof one === "string") ? { is: "scalar", values } : SCALAR;
}

function definition(root: Json, ref: string): Json | undefined {
  const definitions = isJsonObject(root) ? root["definitions"] : undefined;
  return isJsonObject(definitions) ? definitions[ref.slice("#/definitions/".length)] : undefined;
}
