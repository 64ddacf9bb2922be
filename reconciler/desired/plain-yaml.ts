import type { Json } from "#base/canonical/index.ts";

/** The value of a document in the plain form that most fleet files have: block maps of simple keys, lists of scalars, collections on one line, printable
 *  ASCII, whole comment lines. Undefined for anything else, right or wrong: then the full reader decides. Where it gives a value, that is the full
 *  reader's and there was nothing to refuse; plain-yaml.fuzz.test.ts holds it to that. Twenty times as fast. Pure. */
export function readPlainYaml(text: string): Json | undefined {
  if (!/^[\n\x20-\x7e]+$/.test(text)) return undefined;
  const lines = linesOf(text);
  if (lines === null || lines.length === 0 || lines[0]!.indent !== 0) return undefined;
  const reader = new Reader(lines);
  const value = reader.map(0, 1);
  return reader.isDone ? value : undefined;
}

type Line = { readonly indent: number; readonly text: string };

const MAX_DEPTH = 10; // half of what the full reader takes
const MAX_LINES = 20_000;
const KEY = /^(?:([A-Za-z_][\w./-]{0,60})|"([\w ./@-]{1,60})"):(?: (.+))?$/;
const SPECIAL = /^(?:~|null|true|false|__proto__)$/i; // as a key no text, or no text we take

/** Lines that say something, trimmed on the left; null where one ends in a space. */
function linesOf(text: string): readonly Line[] | null {
  const lines: Line[] = [];
  const all = text.split("\n");
  if (all.length > MAX_LINES) return null;
  for (const line of all) {
    const indent = line.search(/[^ ]/);
    if (indent < 0 || line[indent] === "#") continue;
    if (line.endsWith(" ")) return null;
    lines.push({ indent, text: indent === 0 ? line : line.slice(indent) });
  }
  return lines;
}

/** Reads block by block; whatever it does not know ends it, and `isDone` stays false. */
class Reader {
  readonly #lines: readonly Line[];
  #at = 0;
  #isPlain = true;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  get isDone(): boolean {
    return this.#isPlain && this.#at === this.#lines.length;
  }

  map(indent: number, depth: number): Json {
    const value: Record<string, Json> = {};
    if (depth > MAX_DEPTH) return this.#giveUp();
    for (let line = this.#lines[this.#at]; this.#isPlain && line !== undefined && line.indent >= indent; line = this.#lines[this.#at]) {
      const match = line.indent === indent ? KEY.exec(line.text) : null;
      const key = match?.[1] ?? match?.[2];
      if (match === null || key === undefined || isRefusedKey(key, match[1] !== undefined) || Object.hasOwn(value, key))
        return this.#giveUp();
      this.#at++;
      value[key] = match[3] === undefined ? this.#below(indent, depth) : this.#inline(match[3], depth);
    }
    return value;
  }

  /** What stands under a key without a value of its own: deeper lines, a list at the key's own depth, or nothing. */
  #below(indent: number, depth: number): Json {
    const next = this.#lines[this.#at];
    if (next === undefined || next.indent < indent) return null;
    if (next.text.startsWith("- ")) return this.#list(next.indent, depth + 1);
    return next.indent === indent ? null : this.map(next.indent, depth + 1);
  }

  #list(indent: number, depth: number): Json {
    const items: Json[] = [];
    if (depth > MAX_DEPTH) return this.#giveUp();
    for (let line = this.#lines[this.#at]; this.#isPlain && line !== undefined && line.indent >= indent; line = this.#lines[this.#at]) {
      if (line.indent > indent) return this.#giveUp();
      if (!line.text.startsWith("- ")) break; // the next key of the map that the list is in
      this.#at++;
      items.push(this.#inline(line.text.slice(2), depth));
    }
    return items;
  }

  #inline(text: string, depth: number): Json {
    const flow = new Flow(text, depth);
    const value = flow.whole();
    return value === undefined ? this.#giveUp() : value;
  }

  #giveUp(): null {
    this.#isPlain = false;
    return null;
  }
}

/** A key that is no text (`true`), or that means something to JavaScript. */
function isRefusedKey(key: string, isPlain: boolean): boolean {
  return key === "__proto__" || (isPlain && SPECIAL.test(key));
}

/** A value on one line: a scalar, or a collection in brackets. */
class Flow {
  readonly #text: string;
  readonly #depth: number;
  #at = 0;

  constructor(text: string, depth: number) {
    this.#text = text;
    this.#depth = depth;
  }

  whole(): Json | undefined {
    const first = this.#text[0];
    if (first !== "[" && first !== "{") return first === '"' || first === "'" ? this.#quotedWhole() : scalarOf(this.#text, false);
    const value = this.#value(this.#depth + 1);
    return this.#at === this.#text.length ? value : undefined;
  }

  #quotedWhole(): Json | undefined {
    const value = this.#quoted();
    return this.#at === this.#text.length ? value : undefined;
  }

  #value(depth: number): Json | undefined {
    if (depth > MAX_DEPTH) return undefined;
    const char = this.#text[this.#at];
    if (char === "[") return this.#list(depth);
    if (char === "{") return this.#map(depth);
    return char === '"' || char === "'" ? this.#quoted() : this.#plain();
  }

  #list(depth: number): Json | undefined {
    const items: Json[] = [];
    this.#at++;
    this.#spaces();
    if (this.#take("]")) return items;
    for (;;) {
      const item = this.#value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      this.#spaces();
      if (this.#take("]")) return items;
      if (!this.#take(",")) return undefined;
      this.#spaces();
    }
  }

  #map(depth: number): Json | undefined {
    const value: Record<string, Json> = {};
    this.#at++;
    this.#spaces();
    if (this.#take("}")) return value;
    for (;;) {
      const key = this.#key();
      if (key === null || Object.hasOwn(value, key)) return undefined;
      const member = this.#value(depth + 1);
      if (member === undefined) return undefined;
      value[key] = member;
      this.#spaces();
      if (this.#take("}")) return value;
      if (!this.#take(",")) return undefined;
      this.#spaces();
    }
  }

  /** `name: `, quoted or not; null for any other. */
  #key(): string | null {
    FLOW_KEY.lastIndex = this.#at;
    const match = FLOW_KEY.exec(this.#text);
    const key = match?.[1] ?? match?.[2];
    if (match === null || key === undefined || isRefusedKey(key, match[1] !== undefined)) return null;
    this.#at += match[0].length;
    return key;
  }

  #quoted(): string | undefined {
    const quote = this.#text[this.#at]!;
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) return undefined;
    const inner = this.#text.slice(this.#at + 1, end);
    if (inner.includes("\\") || this.#text[end + 1] === quote) return undefined; // escapes of either kind
    this.#at = end + 1;
    return inner;
  }

  #plain(): Json | undefined {
    FLOW_SCALAR.lastIndex = this.#at;
    const match = FLOW_SCALAR.exec(this.#text);
    if (match === null) return undefined;
    const text = match[0].trimEnd();
    this.#at += text.length;
    return scalarOf(text, true);
  }

  #spaces(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
}

const FLOW_KEY = /(?:([A-Za-z_][\w./-]{0,60})|"([\w ./@-]{1,60})"): +(?=[^ ,\]}])/y;
const FLOW_SCALAR = /[^,[\]{}]+/y;
// A scalar without quotes: nothing at its start or inside that means something to YAML.
const PLAIN = /^[A-Za-z0-9./_~+][^#&*!|>'"%`?{}[\],]*$/;
const FLOW_STOP = /:(?:$|[ ,[\]{}])/;
// The core schema of YAML 1.2, as `yaml` resolves it.
const INTEGER = /^(?:0|[1-9]\d{0,14})$/;
const NUMBER =
  /^(?:[-+]?\d+|0o[0-7]+|0x[\da-fA-F]+|[-+]?(?:\.\d+|\d+\.\d*|\d+)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** A plain scalar's value; undefined where the full reader has to say. */
function scalarOf(text: string, isInFlow: boolean): Json | undefined {
  if (!PLAIN.test(text) || FLOW_STOP.test(text) || (isInFlow && text.includes(":") && /:[,[\]{}]/.test(text))) return undefined;
  if (text === "true" || text === "false") return text === "true";
  if (INTEGER.test(text)) return Number(text);
  return NUMBER.test(text) || SPECIAL.test(text) ? undefined : text;
}
