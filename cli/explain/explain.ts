import { type Field, fieldsOf, FORMS } from "#schemas/fleet/fields.ts";
import { type Kind, KINDS } from "#schemas/fleet/index.ts";
import { fileName } from "#schemas/fleet/json-schema.ts";
import { WORDS } from "#schemas/fleet/words/index.ts";
import type { Out } from "../io.ts";
import type { Paint } from "../report/paint.ts";
import { find } from "./find.ts";

export type ExplainOptions = {
  readonly path?: string | undefined;
  readonly recursive: boolean;
  readonly width: number;
  readonly paint: Paint;
};

/** `mooring explain PATH`: what a kind or a field of it means, as docs/spec has it. Throws USAGE for what there is not. */
export function explain({ path, recursive, width, paint }: ExplainOptions, out: Out): number {
  if (path === undefined) {
    const kinds = Object.keys(KINDS) as Kind[];
    const wide = Math.max(...kinds.map((kind) => fileName(kind).length));
    for (const kind of kinds) out.write(hanging(`${paint("bold", fileName(kind).padEnd(wide))}  `, wide + 2, WORDS[kind].summary, width));
    return 0;
  }
  const { kind, field } = find(path);
  if (field === null) {
    const refused = WORDS[kind].notYet === true ? `  ${paint("yellow", "NOT_YET")}  the whole kind\n` : "";
    out.write(`${paint("bold", kind)}\n${hanging("  ", 2, WORDS[kind].summary, width)}${refused}\n${paint("bold", "Fields")}\n`);
    out.write(listing(fieldsOf(kind), { recursive, width, paint }, recursive ? 99 : 2, 2));
    return 0;
  }
  const { type, isRequired, preset, values, text, notYet, children } = field;
  out.write(`${paint("bold", `${fileName(kind)}.${field.path.join(".")}`)}  <${type}>${isRequired ? " required" : ""}\n`);
  out.write(hanging("  ", 2, text, width));
  const form = FORMS[type];
  if (form !== undefined) out.write(`\n  ${type}: ${form}\n`);
  if (preset !== null) out.write(`\n  default  ${preset}\n`);
  if (values.length > 0) out.write(`${preset === null ? "\n" : ""}  one of   ${values.join(", ")}\n`);
  if (notYet !== null) out.write(`  ${paint("yellow", "NOT_YET")}  ${notYet}\n`);
  if (children.length > 0)
    out.write(`\n${paint("bold", "Fields")}\n${listing(children, { recursive, width, paint }, recursive ? 99 : 1, 2)}`);
  return 0;
}

type Look = Pick<ExplainOptions, "recursive" | "width" | "paint">;

/** `depth` levels of fields, each with its text below it. */
function listing(fields: readonly Field[], look: Look, depth: number, indent: number): string {
  return fields
    .map((field) => {
      const head = `${" ".repeat(indent)}${look.paint("cyan", field.name)}  <${field.type}>${facts(field)}\n`;
      const text = hanging(" ".repeat(indent + 4), indent + 4, field.text, look.width);
      const below = depth > 1 ? listing(field.children, look, depth - 1, indent + 2) : "";
      return `${head}${text}${below}`;
    })
    .join("");
}

function facts({ isRequired, preset, values, notYet }: Field): string {
  const words = [
    isRequired ? "required" : preset === null ? "" : `default ${preset}`,
    values.length > 1 ? `one of ${values.join(", ")}` : "",
    notYet === null ? "" : `NOT_YET: ${notYet}`,
  ].filter((word) => word !== "");
  return words.length === 0 ? "" : ` ${words.join("; ")}`;
}

/** Text wrapped to `width`, its first line after `head` (which is `indent` wide on the screen), the others below it. */
function hanging(head: string, indent: number, text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  lines.push(line);
  return `${head}${lines.join(`\n${" ".repeat(indent)}`)}\n`;
}
