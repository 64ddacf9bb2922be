/** YAML that somebody sends to break a reader, or that a tool wrote by accident. Each is refused with one problem of `code`. */
export type HostileCase = { readonly name: string; readonly bytes: Uint8Array; readonly code: string };

const HEAD = "apiVersion: mooring/v1\nkind: Plugin\nmetadata:\n  name: a\nspec:\n";
const YAML = "FLEET_YAML_REFUSED";
const UNREADABLE = "FLEET_FILE_UNREADABLE";
const UNQUOTED = "FLEET_VALUE_UNQUOTED";
const SCHEMA = "FLEET_FIELD_INVALID";

/** Just under the largest number of marks that is read at all, where the parser's own time would show. */
const NEARLY = 4_900;

const TEXTS: readonly (readonly [name: string, code: string, text: string])[] = [
  ["20,000 keys", YAML, HEAD + lines(20_000, (i) => `  k${i}: 1`)],
  ["20,000 keys in one flow map", YAML, `${HEAD}  config: {${Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join(", ")}}\n`],
  ["2,400 unknown keys", "FLEET_FIELD_UNKNOWN", `${good()}${lines(2_400, (i) => `  k${i}: 1`)}`],
  ["60,000 nested lists", YAML, `a: ${"- ".repeat(60_000)}1\n`],
  ["600 nested maps", YAML, lines(600, (i) => `${" ".repeat(i)}a:`)],
  ["60,000 nested keys", YAML, `${"? ".repeat(60_000)}1\n`],
  ["262,000 open brackets", YAML, "[".repeat(262_000)],
  ["262,000 closing brackets", YAML, "]".repeat(262_000)],
  ["closing brackets, nearly too many", YAML, "]".repeat(NEARLY)],
  ["commas, nearly too many", YAML, `a: [${",".repeat(NEARLY)}]\n`],
  ["colons, nearly too many", YAML, ":".repeat(NEARLY)],
  ["tags, nearly too many", YAML, "!".repeat(NEARLY)],
  ["anchors, nearly too many", YAML, "&a ".repeat(NEARLY)],
  ["aliases, nearly too many", YAML, `a: &a 1\n${lines(NEARLY / 2 - 10, (i) => `b${i}: *a`)}`],
  ["keys given twice, nearly too many", YAML, HEAD + "  a: 1\n".repeat(NEARLY - 10)],
  ["tabs, nearly too many", YAML, `a:\n${"\tb: 1\n".repeat(NEARLY - 10)}`],
  ["directives, nearly too many", YAML, "%a b\n".repeat(NEARLY)],
  ["tabs after spaces, nearly too many", YAML, `a:\n${" \tb: 1\n".repeat(NEARLY / 5 - 10)}`],
  ["documents, nearly too many", YAML, "---\n".repeat(NEARLY / 3)],
  ["open quote", YAML, `a: "${"x ".repeat(130_000)}`],
  [
    "billion laughs",
    YAML,
    `a: &a [x, x]\n${Array.from("bcdefghij", (key, i) => `${key}: &${key} [${Array(9).fill(`*${"abcdefghij"[i]}`).join(",")}]\n`).join("")}`,
  ],
  ["merge key", YAML, `${HEAD}  <<: { version: 1.0.0 }\n`],
  ["tag !!js/function", YAML, `${HEAD}  config: { run: !!js/function "function () {}" }\n`],
  ["tag !!str", YAML, `${HEAD}  version: !!str 1\n`],
  ["tag !!binary", YAML, `${HEAD}  config: { a: !!binary aGk= }\n`],
  ["tag !!python", YAML, `${HEAD}  config: !!python/object/apply:os.system ["true"]\n`],
  ["version directive", YAML, `%YAML 1.1\n---\n${HEAD}  a: yes\n`],
  ["second document", YAML, `${good()}---\n${good()}`],
  ["key given twice", YAML, `${good()}  digest: x\n`],
  ["key __proto__", YAML, `${HEAD}  config: { __proto__: { a: 1 } }\n`],
  ["key constructor", "FLEET_FIELD_UNKNOWN", `${good()}  constructor: { prototype: 1 }\n`],
  ["key toString in labels", SCHEMA, good().replace("name: a", "name: a\n  labels: { toString: [] }")],
  ["key that is a list", YAML, `${HEAD}  ? [a]\n  : 1\n`],
  ["key that is a number", UNQUOTED, `${HEAD}  config: { 1: x }\n`],
  ["NUL", UNREADABLE, `${HEAD}  version: 1.0\0.0\n`],
  ["escape sequence of a terminal", UNREADABLE, `${HEAD}  # \u001b[2J\n`],
  ["byte order mark", UNREADABLE, `\ufeff${good()}`],
  ["byte order mark inside", UNREADABLE, `${good()}\ufeff`],
  ["text turned right to left", UNREADABLE, `${HEAD}  version: 1.0.0 # \u202e 0.0.2\n`],
  ["character of no width", UNREADABLE, `${HEAD}  ver\u200bsion: 1.0.0\n`],
  ["line separator", UNREADABLE, `${HEAD}  # \u2028  version: 2.0.0\n`],
  ["carriage returns alone", UNREADABLE, good().replaceAll("\n", "\r")],
  ["300 KiB", "FLEET_FILE_TOO_LARGE", `${good()}# ${"x".repeat(300 * 1024)}\n`],
  ["one line of 250 KiB", SCHEMA, good().replace("1.0.0", "1".repeat(250 * 1024) + "x")],
  ["250 KiB of lines", YAML, "x\n".repeat(125_000)],
  ["250 KiB of spaces", "FLEET_FIELD_MISSING", `${" ".repeat(250 * 1024)}a: 1\n`],
  ["1e999", UNQUOTED, good().replace("1.0.0", "1e999")],
  [".nan", UNQUOTED, good().replace("1.0.0", ".nan")],
  ["NaN", SCHEMA, good().replace("1.0.0", "NaN")],
  ["octal", UNQUOTED, good().replace("1.0.0", "0o17")],
  ["octal of YAML 1.1", UNQUOTED, good().replace("1.0.0", "017")],
  ["sixty", SCHEMA, good().replace("1.0.0", "1:30:00")],
  ["version as a number", UNQUOTED, good().replace("1.0.0", "1.10")],
  ["integer of 20 digits", UNQUOTED, good().replace("1.0.0", "12345678901234567890")],
  ["time where a version belongs", SCHEMA, good().replace("1.0.0", "2026-11-25T09:00:00Z")],
  ["yes where a word belongs", SCHEMA, `${good()}  drift: yes\n`],
  ["null where a map belongs", SCHEMA, good().replace(/source:.*/, "source: ~")],
  ["half a character", YAML, `${HEAD}  config: { a: "\\ud800" }\n`],
  ["nothing", SCHEMA, ""],
  ["a list", SCHEMA, "- apiVersion: mooring/v1\n"],
  ["only a comment", SCHEMA, "# apiVersion: mooring/v1\n"],
];

const BYTES: readonly HostileCase[] = [
  { name: "Latin-1", code: UNREADABLE, bytes: Uint8Array.from([...new TextEncoder().encode(HEAD), 0x23, 0xe4, 0x0a]) },
  { name: "UTF-16", code: UNREADABLE, bytes: Uint8Array.from(Buffer.from(`\ufeff${good()}`, "utf16le")) },
  { name: "overlong UTF-8", code: UNREADABLE, bytes: Uint8Array.from([0x61, 0x3a, 0x20, 0xc0, 0xaf, 0x0a]) },
  { name: "a program", code: UNREADABLE, bytes: Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]) },
];

export const HOSTILE: readonly HostileCase[] = [
  ...TEXTS.map(([name, code, text]): HostileCase => ({ name, code, bytes: new TextEncoder().encode(text) })),
  ...BYTES,
];

/** A plugin's document that is valid. */
export function good(): string {
  return `${HEAD}  version: 1.0.0
  source: { url: "https://bundles.example.net/a.tgz" }
  digest: sha256:${"ab".repeat(32)}
  verify: { key: trust/keys/release.pub }
  machines: all
`;
}

function lines(count: number, of: (i: number) => string): string {
  return `${Array.from({ length: count }, (_, i) => of(i)).join("\n")}\n`;
}
