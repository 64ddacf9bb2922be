import { digestOf } from "#base/canonical/index.ts";
import type { PluginLock } from "#schemas/fleet/index.ts";
import type { Loaded } from "./document.ts";
import type { FleetFiles } from "./files.ts";
import { about, placeIn } from "./about.ts";
import { type Finding, type Place, START } from "./finding.ts";
import type { LoadCache } from "./load.ts";
import { lockPath, readLock } from "./lock.ts";
import { ageFilePath, type FleetRepo } from "./repo.ts";
import { nearest } from "./suggest.ts";
import { readTrust, spkiOf } from "./trust.ts";

// Files that documents lean on: keys, locks, age files. Each function adds its findings to the list it is given.

/** What lies under trust/; a missing list of signers is a finding. */
export async function trustOf(fleet: Loaded<"Fleet">, files: FleetFiles, findings: Finding[]): Promise<FleetRepo["trust"]> {
  const { commits, bundles } = fleet.doc.spec.trust;
  const signers = await bytesAt(files, commits.allowedSigners);
  if (signers === null)
    findings.push(
      about(
        fleet,
        ["spec", "trust", "commits", "allowedSigners"],
        "FLEET_REFERENCE_MISSING",
        `there is no file ${commits.allowedSigners}`,
        {
          rule: "file-missing",
          fix: likeIt(commits.allowedSigners, files),
        },
      ),
    );
  const recipients = await bytesAt(files, "trust/recipients");
  const read = readTrust(commits.allowedSigners, {
    signers: signers ?? new Uint8Array(),
    recipients,
    trustedRoot: await bytesAt(files, bundles.trustedRoot),
    openpgp: await bytesAt(files, commits.openpgpKeys),
  });
  findings.push(...read.findings);
  return read.trust;
}

/** The public keys that plugins name, by path; one that is missing or no P-256 key is a finding. */
export async function keysOf(
  plugins: readonly Loaded<"Plugin">[],
  files: FleetFiles,
  findings: Finding[],
): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>();
  for (const plugin of plugins) {
    const path = plugin.doc.spec.verify.key;
    if (path === undefined || keys.has(path)) continue;
    const bytes = await bytesAt(files, path);
    const spki = bytes === null ? null : spkiOf(bytes);
    if (spki !== null) keys.set(path, spki);
    else {
      const message = bytes === null ? "there is no such file" : "the file is not a P-256 public key in PEM";
      const code = bytes === null ? "FLEET_REFERENCE_MISSING" : "FLEET_TRUST_INVALID";
      const fix = bytes === null ? likeIt(path, files) : undefined;
      findings.push(about(plugin, ["spec", "verify", "key"], code, `spec.verify.key: ${message}`, { rule: "key-file", fix }));
    }
  }
  return keys;
}

/** The locks of all pinned versions, by path; one that is missing or disagrees with its plugin is a finding. */
export async function locksOf(
  plugins: readonly Loaded<"Plugin">[],
  files: FleetFiles,
  findings: Finding[],
): Promise<Pick<FleetRepo, "locks" | "wantPlaces">> {
  const locks = new Map<string, PluginLock>();
  const wantPlaces = new Map<string, ReadonlyMap<string, Place>>();
  for (const plugin of plugins) {
    const { version, digest, overrides } = plugin.doc.spec;
    const pins = [{ version, digest, at: ["spec", "version"], isOverride: false }];
    for (const [i, item] of overrides.entries()) {
      if (item.version !== undefined && item.digest !== undefined)
        pins.push({ version: item.version, digest: item.digest, at: ["spec", "overrides", String(i), "version"], isOverride: true });
    }
    for (const pin of pins) {
      const path = lockPath(plugin.name, pin.version, pin.isOverride);
      const bytes = await bytesAt(files, path);
      const lock = bytes === null ? `there is no ${path}` : readLock(bytes);
      const wrong = typeof lock === "string" ? lock : lockDiffers(lock, plugin.name, pin);
      if (typeof lock !== "string") {
        locks.set(path, lock);
        if (lock.wants !== undefined && bytes !== null) wantPlaces.set(path, placesOfWants(bytes, lock.wants));
      }
      if (wrong !== null)
        findings.push(
          about(plugin, pin.at, "PLUGIN_LOCK_MISMATCH", wrong, {
            rule: bytes === null ? "lock-missing" : "lock-differs",
            fix: `run \`mooring plugin pin\` for ${plugin.name}`,
            also: bytes === null ? [] : [{ ...START, file: path }],
          }),
        );
    }
  }
  return { locks, wantPlaces };
}

/** The lock is JSON that we have read already, so its text is only searched for the quoted references. */
function placesOfWants(bytes: Uint8Array, wants: readonly string[]): ReadonlyMap<string, Place> {
  const text = new TextDecoder().decode(bytes);
  const places = new Map<string, Place>();
  for (const ref of wants) {
    const at = text.indexOf(JSON.stringify(ref), Math.max(0, text.indexOf('"wants"')));
    const before = text.slice(0, Math.max(0, at)).split("\n");
    const [line, col] = [before.length, before.at(-1)!.length + 1];
    places.set(ref, { line, col, endLine: line, endCol: col + ref.length + 2 });
  }
  return places;
}

function lockDiffers(lock: PluginLock, name: string, pin: { readonly version: string; readonly digest: string }): string | null {
  if (lock.name !== name) return "the lock is another plugin's";
  if (lock.version !== pin.version) return "the lock has another version";
  return lock.digest === pin.digest ? null : "the lock has another digest";
}

/** Whether every version of every secret has its age file, with the digest the document says. */
export async function checkSecrets(
  secrets: readonly Loaded<"Secret">[],
  files: FleetFiles,
  cache: LoadCache,
  findings: Finding[],
): Promise<void> {
  for (const secret of secrets) {
    const { current, previous, versions } = secret.doc.spec;
    for (const [field, version] of Object.entries({ current, previous })) {
      if (version !== undefined && versions[version] === undefined)
        findings.push(
          about(secret, ["spec", field], "FLEET_REFERENCE_MISSING", `spec.${field}: there is no such version`, {
            rule: "version-missing",
            also: [placeIn(secret, ["spec", "versions"], "key")],
          }),
        );
    }
    for (const [version, entry] of Object.entries(versions)) {
      const path = ageFilePath(secret, entry.file);
      const have = await digestAt(files, path, cache);
      if (have === entry.digest) continue;
      const at = ["spec", "versions", version, have === null ? "file" : "digest"];
      const message = have === null ? `there is no ${path}` : `${path} has another digest`;
      const rule = have === null ? "file-missing" : "file-differs";
      findings.push(about(secret, at, "SECRET_FILE_WRONG", message, { rule, fix: have === null ? likeIt(path, files) : undefined }));
    }
  }
}

/** The file that was perhaps meant, of those beside it. */
function likeIt(path: string, files: FleetFiles): string | undefined {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const beside = [...files.keys()].filter((name) => name.startsWith(folder) && !name.slice(folder.length).includes("/"));
  const suggestion = nearest(path, beside);
  return suggestion === null ? undefined : `did you mean \`${suggestion}\`?`;
}

async function digestAt(files: FleetFiles, path: string, cache: LoadCache): Promise<string | null> {
  const file = files.get(path);
  if (file === undefined) return null;
  let digest = cache.digests.get(file.oid);
  if (digest === undefined) cache.digests.set(file.oid, (digest = digestOf(await file.read())));
  return digest;
}

async function bytesAt(files: FleetFiles, path: string): Promise<Uint8Array | null> {
  const file = files.get(path);
  return file === undefined ? null : file.read();
}
