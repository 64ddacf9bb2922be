import type { Json } from "#base/canonical/index.ts";
import { isJsonObject } from "#base/canonical/index.ts";
import { type DocumentOf, isKind, type Kind, KINDS } from "#schemas/fleet/index.ts";
import { type Finding, type Problem, problem, START } from "./finding.ts";
import { problemsOf } from "./issues.ts";
import { folderOf, placeInTree } from "./layout.ts";
import { nearest } from "./suggest.ts";
import { locate, type Locate, locatorOf, readYaml } from "./yaml.ts";

/** A document with the file it came from. `locate` reads the text again at its first question, so places cost nothing until somebody asks. */
export type Loaded<K extends Kind> = {
  readonly kind: K;
  readonly file: string;
  readonly name: string;
  readonly doc: DocumentOf[K];
  /** The file as it is written. */
  readonly text: string;
  readonly locate: Locate;
};
export type AnyLoaded = { readonly [K in Kind]: Loaded<K> }[Kind];

/** What one blob gives, whatever its path: kept in the caller's cache by oid, so only changed blobs are parsed again. */
export type ParsedBlob = {
  /** null = a YAML file that is no document of ours. */
  readonly kind: Kind | null;
  readonly isOurs: boolean;
  readonly text: string;
  readonly doc?: DocumentOf[Kind];
  readonly problems: readonly Problem[];
};

/** Reads and checks one blob. Pure; never throws for bad input. */
export function parseBlob(bytes: Uint8Array): ParsedBlob {
  const { text, value, problems, locate } = readYaml(bytes);
  const isOurs = /^apiVersion:\s*["']?mooring\//m.test(text);
  if (value === undefined) return { kind: null, isOurs, text, problems };
  if (!isJsonObject(value))
    return { kind: null, isOurs, text, problems: [problem("FLEET_FIELD_INVALID", START, "the document is not a map of fields")] };
  const kind = value["kind"];
  if (!isKind(kind)) return { kind: null, isOurs, text, problems: [kindProblem(kind, text)] };
  const result = KINDS[kind].safeParse(value);
  if (result.success) return { kind, isOurs: true, text, doc: result.data, problems: [] };
  return { kind, isOurs, text, problems: problemsOf(result.error.issues, { schema: KINDS[kind], value, locate }) };
}

/** What a finding about a document stays tied to when lines move: kind and the name its file gives it. */
function subjectOf(file: string, place: ReturnType<typeof placeInTree>, blob: ParsedBlob): string {
  const kind = blob.kind ?? place?.kind;
  return kind === undefined ? `${file} ` : `${kind}/${place?.name ?? file} `;
}

function kindProblem(kind: Json | undefined, text: string): Problem {
  if (kind === undefined) return problem("FLEET_FIELD_MISSING", START, "field kind is missing");
  const suggestion = typeof kind === "string" ? nearest(kind, Object.keys(KINDS)) : null;
  const fix = suggestion === null ? `write one of ${Object.keys(KINDS).join(", ")}` : `did you mean \`${suggestion}\`?`;
  return problem("FLEET_FIELD_INVALID", locate(text, ["kind"]), "kind: not one of the eight kinds", fix);
}

/** The document of `blob` at `file`, with what its place in the tree adds: kind in its own folder, name like the file. Null with findings, or
 *  silently for YAML that is not ours. */
export function placeBlob(file: string, blob: ParsedBlob): { readonly loaded: AnyLoaded | null; readonly findings: readonly Finding[] } {
  const place = placeInTree(file);
  if (place === null && !blob.isOurs) return { loaded: null, findings: [] };
  const problems = [...blob.problems];
  if (blob.kind !== null && place?.kind !== blob.kind) {
    const where = folderOf(blob.kind);
    const fix = file.endsWith(".yml") ? "rename the file to .yaml" : `move the file to ${where}`;
    problems.unshift(problem("KIND_MISPLACED", locate(blob.text, ["kind"]), `kind ${blob.kind} outside ${where}`, fix));
  }
  const doc = blob.doc;
  if (doc !== undefined && place !== null && place.kind === blob.kind && place.name !== null && place.name !== doc.metadata.name) {
    problems.push(problem("NAME_MISPLACED", locate(blob.text, ["metadata", "name"]), "metadata.name differs from the file's name"));
  }
  const findings = problems.map(
    (item): Finding => ({ ...item, file, subject: `${subjectOf(file, place, blob)}${item.subject ?? ""}`.trimEnd() }),
  );
  if (doc === undefined || blob.kind === null || findings.length > 0) return { loaded: null, findings };
  const loaded = {
    kind: blob.kind,
    file,
    name: doc.metadata.name,
    doc,
    text: blob.text,
    locate: locatorOf(blob.text),
  };
  return { loaded: loaded as AnyLoaded, findings };
}
