import * as z from "zod";
import { KINDS } from "./index.ts";

/** The JSON Schemas of schemas/json by file name, as text: one of each kind and index.json over all. Draft-07, since yaml-language-server
 *  reads nothing later; `io: input`, so that a field with a default is not required. */
export function jsonSchemas(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [kind, schema] of Object.entries(KINDS)) files.set(`${fileName(kind)}.json`, textOf(schema));
  files.set("index.json", textOf(z.discriminatedUnion("kind", Object.values(KINDS) as never)));
  return files;
}

function textOf(schema: z.ZodType): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { target: "draft-7", io: "input" }), null, 2)}\n`;
}

/** `SecretGrant` → `secret-grant` */
export function fileName(kind: string): string {
  return kind.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
