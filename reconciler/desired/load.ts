import { MooringError } from "#base/errors/index.ts";
import type { Kind } from "#schemas/fleet/index.ts";
import { checkSecrets, keysOf, locksOf, trustOf } from "./attachments.ts";
import { type AnyLoaded, type Loaded, type ParsedBlob, parseBlob, placeBlob } from "./document.ts";
import { about, placeIn } from "./about.ts";
import type { FleetFiles } from "./files.ts";
import { byText, type Finding, finding, hasErrors, sortFindings, START } from "./finding.ts";
import { isCandidate } from "./layout.ts";
import { checkReferences } from "./references/index.ts";
import type { FleetRepo } from "./repo.ts";

/** Parsed YAML and digests by oid, kept by the caller from one revision to the next. Entries not used by the last load may be dropped. */
export type LoadCache = { readonly blobs: Map<string, ParsedBlob>; readonly digests: Map<string, string> };

export function newLoadCache(): LoadCache {
  return { blobs: new Map(), digests: new Map() };
}

export type LoadOptions = {
  readonly cache?: LoadCache /** Our own version; spec.requires is held against it. */;
  readonly version?: string;
};
export type LoadResult = { readonly fleet?: FleetRepo; readonly findings: readonly Finding[] };

/** Reads a whole tree. All findings are collected, sorted; `fleet` is there only when none of them is an error. No I/O but the files' own `read`. */
export async function loadFleet(files: FleetFiles, options: LoadOptions = {}): Promise<LoadResult> {
  const cache = options.cache ?? newLoadCache();
  const findings: Finding[] = [];
  const documents = await readDocuments(files, cache, findings);
  const fleet = documents.find((item): item is Loaded<"Fleet"> => item.kind === "Fleet");
  if (fleet === undefined) {
    if (!files.has("fleet.yaml"))
      findings.push(finding("FLEET_REFERENCE_MISSING", "fleet.yaml", START, "there is no fleet.yaml", "run `mooring init`"));
    return { findings: sortFindings(findings) };
  }
  const isRead = !hasErrors(findings);
  findings.push(...checkVersion(fleet, options.version));
  const repo = await assemble(fleet, documents, files, cache, findings);
  // A document or key list that was refused would be missed by everything that names it.
  const isWhole =
    isRead && files.has(fleet.doc.spec.trust.commits.allowedSigners) && !findings.some((item) => item.code === "FLEET_TRUST_INVALID");
  findings.push(...checkReferences(repo).filter((item) => isWhole || item.code !== "FLEET_REFERENCE_MISSING"));
  const sorted = sortFindings(findings);
  return hasErrors(sorted) ? { findings: sorted } : { fleet: repo, findings: sorted };
}

/** The fleet of a result; throws FLEET_INVALID naming the first error and their number. */
export function demandFleet(result: LoadResult): FleetRepo {
  if (result.fleet !== undefined) return result.fleet;
  const errors = result.findings.filter((item) => item.level === "error");
  const first = errors[0]!;
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : "";
  throw new MooringError("FLEET_INVALID", `${first.file}:${first.line}:${first.col} ${first.code}${more}`, {
    why: first.message,
    fix: first.fix,
  });
}

async function readDocuments(files: FleetFiles, cache: LoadCache, findings: Finding[]): Promise<readonly AnyLoaded[]> {
  const documents: AnyLoaded[] = [];
  const names = new Map<string, AnyLoaded>();
  for (const [path, file] of [...files].sort(([a], [b]) => byText(a, b))) {
    if (!isCandidate(path)) continue;
    let blob = cache.blobs.get(file.oid);
    if (blob === undefined) cache.blobs.set(file.oid, (blob = parseBlob(await file.read())));
    const { loaded, findings: found } = placeBlob(path, blob);
    findings.push(...found);
    if (loaded === null) continue;
    const taken = names.get(`${loaded.kind} ${loaded.name}`);
    if (taken === undefined) documents.push(loaded);
    else
      findings.push(
        about(loaded, ["metadata", "name"], "NAME_TAKEN", `a ${loaded.kind} of this name is in ${taken.file} too`, {
          also: [placeIn(taken, ["metadata", "name"])],
        }),
      );
    names.set(`${loaded.kind} ${loaded.name}`, loaded);
  }
  return documents;
}

async function assemble(
  fleet: Loaded<"Fleet">,
  documents: readonly AnyLoaded[],
  files: FleetFiles,
  cache: LoadCache,
  findings: Finding[],
): Promise<FleetRepo> {
  const of = <K extends Kind>(kind: K): Loaded<K>[] =>
    (documents.filter((item) => item.kind === kind) as unknown as Loaded<K>[]).sort((a, b) => byText(a.name, b.name));
  const plugins = of("Plugin");
  const secrets = of("Secret");
  await checkSecrets(secrets, files, cache, findings);
  return {
    fleet,
    machines: of("Machine"),
    baselines: of("Baseline"),
    plugins,
    secrets,
    grants: of("SecretGrant"),
    rotations: of("RotationPolicy"),
    policies: of("Policy"),
    trust: await trustOf(fleet, files, findings),
    keys: await keysOf(plugins, files, findings),
    ...(await locksOf(plugins, files, findings)),
  };
}

function checkVersion(fleet: Loaded<"Fleet">, version: string | undefined): readonly Finding[] {
  if (version === undefined) return [];
  const wanted = fleet.doc.spec.requires.slice(2).split(".").map(Number);
  const have = version.split(/[.-]/).map(Number);
  for (const [i, number] of wanted.entries()) {
    if ((have[i] ?? 0) > number) return [];
    if ((have[i] ?? 0) < number) return [about(fleet, ["spec", "requires"], "FLEET_TOO_NEW", `this is mooring ${version}`)];
  }
  return [];
}
