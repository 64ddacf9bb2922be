import * as z from "zod";
import { type Field, fieldsOf } from "./fields.ts";
import { isKind, KINDS } from "./index.ts";
import { WORDS } from "./words/index.ts";

/** The JSON Schemas of schemas/json by file name, as text: one of each kind and index.json over all. Draft-07, since yaml-language-server
 *  reads nothing later; `io: input`, so that a field with a default is not required; with the words that editors show. */
export function jsonSchemas(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [kind, schema] of Object.entries(KINDS)) files.set(`${fileName(kind)}.json`, textOf(schema));
  files.set("index.json", textOf(z.discriminatedUnion("kind", Object.values(KINDS) as never)));
  return files;
}

type Node = {
  description?: string;
  $ref?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  readonly definitions?: Readonly<Record<string, Node>>;
};

function textOf(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { target: "draft-7", io: "input" }) as Node;
  for (const [name, node] of [...Object.entries(json.definitions ?? {}), [schema.meta()?.id ?? "", json] as const]) {
    if (!isKind(name)) continue;
    node.description = WORDS[name].summary;
    for (const field of fieldsOf(name)) describe(node, field);
  }
  return `${JSON.stringify(json, null, 2)}\n`;
}

function describe(parent: Node, field: Field): void {
  const node = childOf(parent, field.path.at(-1)!);
  if (node === null) return;
  const notYet = field.notYet === null ? "" : ` NOT_YET: ${field.notYet}.`;
  node.description = `${field.text}${notYet}`;
  for (const child of field.children) describe(child.path.at(-2) === "*" ? (childOf(node, "*") ?? node) : node, child);
}

/** The schema of a member, through lists and the branches of a union. */
function childOf(node: Node, name: string): Node | null {
  const own = name === "*" ? node.additionalProperties : node.properties?.[name];
  if (typeof own === "object") return own;
  const inner = [...(node.items === undefined ? [] : [node.items]), ...(node.anyOf ?? []), ...(node.allOf ?? [])];
  for (const branch of inner) {
    const found = childOf(branch, name);
    if (found !== null) return found;
  }
  return null;
}

/** `SecretGrant` → `secret-grant` */
export function fileName(kind: string): string {
  return kind.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
