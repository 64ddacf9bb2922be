import { type Field, fieldsOf, FORMS } from "./fields.ts";
import { type Kind, KINDS } from "./index.ts";
import { fileName } from "./json-schema.ts";
import { WORDS } from "./words/index.ts";

const OPEN = "<!-- made by `node scripts/spec.ts`: edit schemas/fleet -->";
const CLOSE = "<!-- end -->";

/** The pages of docs/spec by file name and what makes the part between their markers. */
export function specParts(): ReadonlyMap<string, string> {
  const pages = (Object.keys(KINDS) as Kind[]).map((kind) => [`${fileName(kind)}.md`, fieldsPart(kind)] as const);
  return new Map([["README.md", overview()], ...pages]);
}

/** `page` with the text between its markers replaced; null when it has none. */
export function withPart(page: string, part: string): string | null {
  const [start, end] = [page.indexOf(OPEN), page.indexOf(CLOSE)];
  return start < 0 || end < start ? null : `${page.slice(0, start)}${OPEN}\n${part}${page.slice(end)}`;
}

function fieldsPart(kind: Kind): string {
  const spec = fieldsOf(kind).find(({ name }) => name === "spec")!;
  const rows = spec.children.flatMap(rowsOf);
  const refused = spec.children.flatMap(notYets);
  const list = WORDS[kind].notYet === true ? "the whole kind" : refused.length === 0 ? "nothing" : refused.join("; ");
  return `| field of \`spec\` | type | default | meaning |\n|---|---|---|---|\n${rows.join("")}\n**NOT_YET:** ${list}.\n`;
}

function rowsOf(field: Field): readonly string[] {
  const { path, type, isRequired, preset, values, text, children } = field;
  const usual = isRequired ? "required" : preset === null ? "" : `\`${preset}\``;
  const choice = values.length > 1 ? ` One of ${values.map((value) => `\`${value}\``).join(", ")}.` : "";
  const row = `| \`${path.slice(1).join(".")}\` | ${type} | ${usual} | ${cell(`${text}${choice}`)} |\n`;
  return [row, ...(type === "selector" ? [] : children.flatMap(rowsOf))];
}

function notYets({ path, notYet, children }: Field): readonly string[] {
  const own = notYet === null ? [] : [`\`${path.slice(1).join(".")}\`: ${notYet}`];
  return [...own, ...children.flatMap(notYets)];
}

function overview(): string {
  const kinds = (Object.keys(KINDS) as Kind[]).map(
    (kind) => `| [${kind}](${fileName(kind)}.md) | ${cell(`${WORDS[kind].summary}${WORDS[kind].notYet === true ? " NOT_YET." : ""}`)} |\n`,
  );
  const forms = Object.entries(FORMS).map(([name, form]) => `| ${name} | ${cell(form)} |\n`);
  return `| kind | what it says |\n|---|---|\n${kinds.join("")}\n| type | how it is written |\n|---|---|\n${forms.join("")}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
