import { isDeepStrictEqual } from "node:util";
import { isScalar, parseDocument } from "yaml";
import { MooringError } from "#base/errors/index.ts";

/** One value of a YAML document and what it becomes. */
export type Edit = { readonly at: readonly string[]; readonly value: string };

/** `text` with each scalar replaced where it stands: comments, order and every other byte stay. Pure. `file` is for messages only. Throws
 *  PLUGIN_PIN_REFUSED when the text is not YAML, a value is missing or not a scalar, or the result would read as anything else than the
 *  old document with these values. */
export function spliceYaml(text: string, edits: readonly Edit[], file: string): string {
  const document = parse(text, file);
  const spots = edits.map((edit) => ({ edit, range: rangeOf(document, edit, file) })).toSorted((a, b) => b.range[0] - a.range[0]);
  let out = text;
  for (const { edit, range } of spots) {
    const old = out.slice(range[0], range[1]);
    const gap = old === "" && !/\s$/.test(out.slice(0, range[0])) ? " " : "";
    out = `${out.slice(0, range[0])}${gap}${written(edit.value, old)}${out.slice(range[1])}`;
  }
  for (const edit of edits) document.setIn(edit.at, edit.value);
  if (!isDeepStrictEqual(parse(out, file).toJS(), document.toJS())) throw refused(file, "the edit would change more than it should");
  return out;
}

/** The text at a place of a YAML document, or null when none is there. Throws PLUGIN_PIN_REFUSED when it is not YAML. */
export function textAt(text: string, at: readonly string[], file: string): string | null {
  const value = parse(text, file).getIn(at);
  return typeof value === "string" ? value : null;
}

function rangeOf(document: ReturnType<typeof parseDocument>, edit: Edit, file: string): readonly [number, number] {
  const node = document.getIn(edit.at, true);
  if (!isScalar(node) || node.range === undefined || node.range === null)
    throw refused(file, `it has no ${edit.at.join(".")} with a plain value`);
  return [node.range[0], node.range[1]];
}

function parse(text: string, file: string): ReturnType<typeof parseDocument> {
  const document = parseDocument(text, { version: "1.2", uniqueKeys: true });
  if (document.errors.length > 0) throw refused(file, "it is not YAML", document.errors[0]);
  return document;
}

/** Plain where the value cannot mean anything else in block or flow style, else quoted; a quoted value stays quoted. */
function written(value: string, old: string): string {
  const number = /^[\d.+-]+$/.test(value) && !/^\d+\.\d+\.\d+$/.test(value);
  const plain = /^[A-Za-z0-9][A-Za-z0-9._:/@+=~-]*$/.test(value) && !value.endsWith(":") && !number;
  return plain && !/^["']/.test(old) ? value : JSON.stringify(value);
}

function refused(file: string, why: string, cause?: unknown): MooringError {
  return new MooringError("PLUGIN_PIN_REFUSED", file, { why, cause });
}
