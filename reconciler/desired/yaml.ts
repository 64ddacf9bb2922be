import type { Json } from "#base/canonical/index.ts";
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from "yaml";
import { checkText, decode } from "./characters.ts";
import { type Place, type Problem, problem, START, type YamlRule, yamlProblem } from "./finding.ts";
import { readPlainYaml } from "./plain-yaml.ts";

const MAX_BYTES = 262_144;
const MAX_DEPTH = 20; // canon takes 32, and a section wraps a document's config in 5

export type Path = readonly (string | number)[];

/** A file read: its value, or what is wrong with it. `value` is there only without problems. */
export type YamlRead = {
  readonly text: string;
  readonly value?: Json;
  readonly problems: readonly Problem[];
  /** Keeps the whole parsed text in memory. */
  readonly locate: Locate;
};

/** `locate` of one text. */
export type Locate = (path: Path, of?: "key" | "value") => Place;

/** Strict reader for one document of plain YAML 1.2 (rules: knowledge page git-yaml-node §2.4). Never throws for bad input. */
export function readYaml(bytes: Uint8Array): YamlRead {
  if (bytes.length > MAX_BYTES) return failed("", problem("FLEET_FILE_TOO_LARGE", START, "file has more than 256 KiB"));
  const text = decode(bytes);
  if (text === null) return failed("", problem("FLEET_FILE_UNREADABLE", START, "file is not UTF-8 text"));
  const refused = checkText(text);
  if (refused !== null) return failed(text, refused);
  const plain = readPlainYaml(text);
  return plain === undefined ? readYamlInFull(text) : { text, value: plain, problems: [], locate: locatorOf(text) };
}

/** The same by the library alone, for text whose characters have been checked. */
export function readYamlInFull(text: string): YamlRead {
  const parsed = parse(text);
  if (parsed === null) return failed(text, yamlProblem("nesting", START, "YAML nested too deep to read"));
  const { doc, lines } = parsed;
  const problems = [...syntaxProblems(doc, lines), ...directiveProblems(doc)];
  if (problems.length === 0) checkNode(doc.contents, 1, lines, problems);
  const locate: Locate = (path, of = "value") => placeIn(parsed, path, of);
  if (problems.length > 0) return { text, problems: firstOfEach(problems), locate };
  return { text, value: doc.toJS({ maxAliasCount: 0 }) as Json, problems, locate };
}

/** Where `path` stands in `text`, which `readYaml` has accepted: the value, or with `of: "key"` its key; of a missing path the nearest ancestor. */
export function locate(text: string, path: Path, of: "key" | "value" = "value"): Place {
  return locatorOf(text)(path, of);
}

/** `locate` for many places of one text: it is read again at the first question, and kept. */
export function locatorOf(text: string): Locate {
  let parsed: ReturnType<typeof parse> | undefined;
  return (path, of = "value") => {
    if (parsed === undefined) parsed = parse(text);
    return parsed === null ? START : placeIn(parsed, path, of);
  };
}

function placeIn({ doc, lines }: NonNullable<ReturnType<typeof parse>>, path: Path, of: "key" | "value"): Place {
  let node: unknown = doc.contents;
  let place: unknown = isMap(node) ? node.items[0]?.key : node;
  for (const [depth, step] of path.entries()) {
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === String(step)) : undefined;
    const next = isMap(node) ? pair?.value : isSeq(node) ? node.items[Number(step)] : undefined;
    if (next === undefined || next === null) {
      if (pair !== undefined) place = pair.key;
      break;
    }
    const last = depth === path.length - 1;
    place = pair !== undefined && ((last && of === "key") || !isScalar(next)) ? pair.key : next;
    node = next;
  }
  return placeOf(place, lines);
}

function parse(text: string): { readonly doc: Document; readonly lines: LineCounter } | null {
  const lines = new LineCounter();
  try {
    return { doc: parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: "error", prettyErrors: false }), lines };
  } catch (err) {
    if (err instanceof RangeError) return null; // the parser's own stack ended
    throw err;
  }
}

function failed(text: string, item: Problem): YamlRead {
  return { text, problems: [item], locate: () => START };
}

/** One problem for each rule that is broken, at its first place: a file of ten thousand aliases is one thing to repair. */
function firstOfEach(problems: readonly Problem[]): readonly Problem[] {
  const groups = new Map<string, { readonly first: Problem; count: number }>();
  for (const item of problems) {
    const rule = `${item.code} ${item.message.split(":", 1)[0]}`;
    const group = groups.get(rule);
    if (group === undefined) groups.set(rule, { first: item, count: 1 });
    else group.count++;
  }
  return [...groups.values()].map(({ first, count }) =>
    count === 1 ? first : { ...first, message: `${first.message} (and ${count - 1} more like it)` },
  );
}

/** The library's own messages quote the text, so the words are ours. */
const SYNTAX: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "a tab where spaces belong",
  MULTIPLE_DOCS: "more than one document in the file",
  BAD_INDENT: "wrong indentation",
  MISSING_CHAR: "something is missing here, such as a colon, quote or bracket",
  BLOCK_AS_IMPLICIT_KEY: "a block where a key belongs; perhaps a colon or a line break too much",
  DUPLICATE_KEY: "a key given twice",
  TAG_RESOLVE_FAILED: "a tag",
  BAD_DIRECTIVE: "a directive",
  BAD_ALIAS: "an alias",
};

function syntaxProblems(doc: Document, lines: LineCounter): Problem[] {
  const [err] = [...doc.errors, ...doc.warnings].toSorted((a, b) => a.pos[0] - b.pos[0]); // what follows is most often its echo
  if (err === undefined) return [];
  const place = placeAt(err.pos[0], err.pos[1], lines);
  return [yamlProblem("syntax", place, `not readable as YAML: ${SYNTAX[err.code] ?? "unexpected text"}`)];
}

function directiveProblems(doc: Document): Problem[] {
  const directives = doc.directives;
  const isPlain = directives === undefined || (directives.yaml.explicit !== true && Object.keys(directives.tags).join() === "!!");
  return isPlain ? [] : [yamlProblem("directive", START, "a % directive")];
}

function checkNode(node: unknown, depth: number, lines: LineCounter, problems: Problem[]): void {
  if (node === null || node === undefined) return;
  const refuse = (rule: YamlRule, message: string): number => problems.push(yamlProblem(rule, placeOf(node, lines), message));
  if (depth > MAX_DEPTH) return void refuse("nesting", `more than ${MAX_DEPTH} levels`);
  if (isAlias(node)) return void refuse("alias", "an anchor or alias");
  const { anchor, tag } = node as { anchor?: string; tag?: string };
  if (anchor !== undefined) refuse("alias", "an anchor or alias");
  if (tag !== undefined) refuse("tag", "a tag");
  if (isScalar(node)) checkScalar(node, lines, problems);
  else if (isSeq(node)) for (const item of node.items) checkNode(item, depth + 1, lines, problems);
  else if (isMap(node)) checkMap(node.items, depth, lines, problems);
}

function checkMap(items: readonly unknown[], depth: number, lines: LineCounter, problems: Problem[]): void {
  const seen = new Map<string, Place>();
  for (const pair of items) {
    if (!isPair(pair)) continue;
    const place = placeOf(pair.key, lines);
    const key = isScalar(pair.key) ? pair.key.value : undefined;
    if (typeof key !== "string") {
      problems.push(
        isScalar(pair.key)
          ? problem("FLEET_VALUE_UNQUOTED", place, "a key that is not text")
          : yamlProblem("key", place, "a key that is not text"),
      );
      continue;
    }
    checkNode(pair.key, depth, lines, problems);
    if (key === "__proto__" || key === "<<") problems.push(yamlProblem("key", place, `a key ${key}`));
    const first = seen.get(key);
    if (first !== undefined)
      problems.push(yamlProblem("duplicate-key", place, `a key given twice: ${shown(key)}, first on line ${first.line}`));
    else seen.set(key, place);
    checkNode(pair.value, depth + 1, lines, problems);
  }
}

function checkScalar(node: Scalar, lines: LineCounter, problems: Problem[]): void {
  const value = node.value;
  if (typeof value === "number" && (String(value) !== node.source || (Number.isInteger(value) && !Number.isSafeInteger(value)))) {
    problems.push(problem("FLEET_VALUE_UNQUOTED", placeOf(node, lines), "a number that would lose digits when read as one"));
  }
  if (typeof value === "string" && !value.isWellFormed())
    problems.push(yamlProblem("text", placeOf(node, lines), "text with half a character"));
}

/** A key as people may see it: short, printable. */
export function shown(key: string): string {
  const printable = key.replaceAll(/[^\x20-\x7e]/g, "?");
  return printable.length > 48 ? `${printable.slice(0, 48)}…` : printable;
}

function placeOf(node: unknown, lines: LineCounter): Place {
  const range = (node as Node | null | undefined)?.range;
  return range === null || range === undefined ? START : placeAt(range[0], range[1], lines);
}

function placeAt(start: number, end: number, lines: LineCounter): Place {
  const from = lines.linePos(start);
  const to = lines.linePos(Math.max(start, end));
  return { line: Math.max(1, from.line), col: Math.max(1, from.col), endLine: Math.max(1, to.line), endCol: Math.max(1, to.col) };
}
