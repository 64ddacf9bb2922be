import { isJsonObject, type Json, type JsonObject } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { VERSION } from "#proof/sigstore/index.ts";
import { NAME, SECRET_REF } from "#schemas/wire/index.ts";
import type { TarFile } from "../tar.ts";

/** Who a plugin is, from its two manifests. `main` is a file of the tree; `wants` the secrets it says it asks for (package.json's `mooring.wants`),
 *  left out when it does not say. */
export type PluginManifest = { readonly id: string; readonly version: string; readonly main: string; readonly wants?: readonly string[] };

const MAX_WANTS = 100;

const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare"];

/** Reads package.json (name, version, main) and openclaw.plugin.json (id, perhaps version), which MUST agree: the package is named as the id,
 *  with or without a scope or the prefix `openclaw-` / `openclaw-plugin-`. Pure. Throws PLUGIN_MANIFEST_INVALID, PLUGIN_SCRIPTS_REFUSED. */
export function manifestOf(files: readonly TarFile[]): PluginManifest {
  const pkg = jsonFile(files, "package.json");
  const plugin = jsonFile(files, "openclaw.plugin.json");
  const id = text(plugin, "openclaw.plugin.json", "id", NAME);
  const version = text(pkg, "package.json", "version", VERSION);
  const name = text(pkg, "package.json", "name", /^(@[a-z0-9._-]+\/)?[a-z0-9._-]+$/);
  const bare = name.slice(name.indexOf("/") + 1);
  if (![id, `openclaw-${id}`, `openclaw-plugin-${id}`].includes(bare))
    throw invalid("package.json", `its name ${name} does not fit the id ${id} of openclaw.plugin.json`);
  const other = plugin["version"];
  if (other !== undefined && other !== version) throw invalid("openclaw.plugin.json", `its version is not the ${version} of package.json`);
  refuseScripts(pkg);
  const wants = wantsOf(pkg);
  return { id, version, main: mainOf(pkg, files), ...(wants === null ? {} : { wants }) };
}

/** Sorted, so that an order of the author's makes no difference in a lock. */
function wantsOf(pkg: JsonObject): readonly string[] | null {
  const own = pkg["mooring"];
  if (own === undefined) return null;
  const wants = isJsonObject(own) ? own["wants"] : undefined;
  if (wants === undefined) return null;
  const refs = Array.isArray(wants) ? wants.filter((item): item is string => typeof item === "string" && SECRET_REF.test(item)) : [];
  if (!Array.isArray(wants) || refs.length !== wants.length || refs.length > MAX_WANTS || new Set(refs).size !== refs.length)
    throw invalid("package.json", `its mooring.wants is not a list of up to ${MAX_WANTS} references like secret://team/name, each once`);
  return refs.sort();
}

function mainOf(pkg: JsonObject, files: readonly TarFile[]): string {
  const main = text(pkg, "package.json", "main", /./).replace(/^\.\//, "");
  if (!files.some((file) => file.path === main))
    throw invalid("package.json", `its main ${JSON.stringify(main)} is not a file of the plugin`);
  return main;
}

function refuseScripts(pkg: JsonObject): void {
  const scripts = pkg["scripts"];
  if (scripts === undefined) return;
  if (!isJsonObject(scripts)) throw invalid("package.json", "its scripts are not an object");
  const bad = INSTALL_SCRIPTS.find((name) => Object.hasOwn(scripts, name));
  if (bad !== undefined)
    throw new MooringError("PLUGIN_SCRIPTS_REFUSED", `script ${bad} in package.json`, {
      why: "it would run at installation, and nothing is installed on a machine",
    });
}

function jsonFile(files: readonly TarFile[], path: string): JsonObject {
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined) throw invalid(path, "the file is missing");
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.bytes)) as Json;
    if (isJsonObject(value)) return value;
  } catch (cause) {
    throw invalid(path, "it is not JSON", cause);
  }
  throw invalid(path, "it is not an object");
}

function text(object: JsonObject, file: string, name: string, form: RegExp): string {
  const value = object[name];
  if (typeof value !== "string" || !form.test(value)) throw invalid(file, `its ${name} is missing or not of its form`);
  return value;
}

function invalid(file: string, why: string, cause?: unknown): MooringError {
  return new MooringError("PLUGIN_MANIFEST_INVALID", file, { why, cause });
}
