import * as z from "zod/mini";
import { isJsonObject, type Json } from "#base/canonical/index.ts";
import { type Finding, finding, locate, type Path, readYaml } from "#reconciler/desired/index.ts";
import { type DocumentOf, type Kind, KINDS } from "#schemas/fleet/index.ts";
import type { Policy } from "#reconciler/policy/index.ts";

const json = z.record(z.string(), z.json());
const level = z.enum(["deny", "require-approval", "warn", "audit", "failed"]);

/** A test file: documents, and what one policy says about them. */
const testFile = z.strictObject({
  policy: z.string(),
  /** Where every case starts from: its own members are laid over these. */
  given: z.optional(json),
  cases: z.array(
    z.strictObject({
      name: z.string(),
      object: z.optional(z.nullable(json)),
      oldObject: z.optional(z.nullable(json)),
      machine: z.optional(json),
      plugin: z.optional(json),
      change: z.optional(json),
      fleet: z.optional(json),
      plan: z.optional(json),
      commit: z.optional(json),
      params: z.optional(json),
      expect: z.union([
        z.literal("pass"),
        z.array(
          z.strictObject({ rule: z.int(), level: z.optional(level), message: z.optional(z.string()), field: z.optional(z.string()) }),
        ),
      ]),
    }),
  ),
});

export type TestFile = z.output<typeof testFile>;
export type Case = TestFile["cases"][number];
export type Parsed = {
  readonly path: string;
  readonly text: string;
  readonly file: TestFile | null;
  readonly findings: readonly Finding[];
};

/** Reads one test file; what is wrong with it is found at its place. Pure. */
export function readTestFile(path: string, bytes: Uint8Array): Parsed {
  const { text, value, problems } = readYaml(bytes);
  if (value === undefined) return { path, text, file: null, findings: problems.map((item) => ({ ...item, file: path })) };
  const read = testFile.safeParse(value);
  if (read.success) return { path, text, file: read.data, findings: [] };
  return { path, text, file: null, findings: read.error.issues.map((issue) => issueFinding(path, text, [], issue)) };
}

type Issue = { readonly code: string; readonly path: readonly PropertyKey[]; readonly keys?: readonly string[] };

function issueFinding(path: string, text: string, base: Path, issue: Issue): Finding {
  const own = [...base, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
  const [unknown] = issue.keys ?? [];
  const at = unknown === undefined ? own : [...own, unknown];
  const what = unknown === undefined ? "a value of another form, or none" : "unknown field";
  return finding("POLICY_TEST_INVALID", path, locate(text, at, unknown === undefined ? "value" : "key"), `${at.join(".")}: ${what}`);
}

export type Documents = {
  readonly object: Json;
  readonly oldObject: Json;
  readonly plugin: Json;
  readonly machine: Json;
  readonly kind: Kind;
};

/** The documents of a case with all defaults filled in, as the hub would read them, or what is wrong with them. `given` of the file is under each. */
export function documentsOf(parsed: Parsed, index: number, policy: Policy): Documents | readonly Finding[] {
  const item = parsed.file!.cases[index]!;
  const given = parsed.file!.given ?? {};
  const findings: Finding[] = [];
  const read = (name: "object" | "oldObject" | "plugin" | "machine", kinds: readonly Kind[]): Json => {
    const own = item[name];
    if (own === undefined || own === null) return null;
    const base = name === "oldObject" ? given["object"] : given[name];
    const value = { apiVersion: "mooring/v1", metadata: { name: "test" }, ...(kinds.length === 1 ? { kind: kinds[0] } : {}) };
    const whole = overlay(overlay(value, base ?? {}), own);
    const kind = isJsonObject(whole) ? whole["kind"] : undefined;
    const known = kinds.find((one) => one === kind);
    const at = ["cases", index, name];
    if (known === undefined) {
      const message = `${at.join(".")}: kind is none that the policy judges (${kinds.join(", ")})`;
      findings.push(finding("POLICY_TEST_INVALID", parsed.path, locate(parsed.text, at, "key"), message));
      return null;
    }
    const result = KINDS[known].safeParse(whole);
    if (result.success) return plainDocument(result.data);
    findings.push(...result.error.issues.map((issue) => issueFinding(parsed.path, parsed.text, at, issue)));
    return null;
  };
  const { kinds } = policy.doc.spec.match;
  const documents = {
    object: read("object", kinds),
    oldObject: read("oldObject", kinds),
    plugin: read("plugin", ["Plugin"]),
    machine: read("machine", ["Machine"]),
  };
  const one = documents.object ?? documents.oldObject;
  if (one === null && findings.length === 0) {
    const where = locate(parsed.text, ["cases", index, "name"]);
    findings.push(finding("POLICY_TEST_INVALID", parsed.path, where, `cases.${index}: object and oldObject are both missing`));
  }
  return findings.length > 0 || !isJsonObject(one ?? undefined) ? findings : { ...documents, kind: (one as { kind: Kind }).kind };
}

function plainDocument(document: DocumentOf[Kind]): Json {
  return JSON.parse(JSON.stringify(document)) as Json;
}

/** `over` laid over `under` as a JSON merge patch (RFC 7396): maps member by member, null takes a member away, anything else replaces. Pure. */
export function overlay(under: Json, over: Json): Json {
  if (!isJsonObject(over)) return over;
  const result = new Map(Object.entries(isJsonObject(under) ? under : {}));
  for (const [key, value] of Object.entries(over)) {
    if (value === null) result.delete(key);
    else result.set(key, overlay(result.get(key) ?? null, value));
  }
  return Object.fromEntries(result);
}
