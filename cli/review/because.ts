import type { AccessEffect, SourceLine } from "#plan/index.ts";
import { uniqueLines } from "#plan/index.ts";
import type { FleetRepo, Loaded } from "#reconciler/desired/index.ts";
import type { MachineId, SectionKey } from "#schemas/wire/index.ts";
import { type ChangedLines, causeOf } from "./changed-lines.ts";
import type { Side } from "./side.ts";

const MACHINES = 8; // of a thousand machines that gain the same, a few say why
const LINES = 6;

/** The lines behind an effect, the ones that the change writes (or, for a loss, takes away) before all others. */
export function becauseOf(effect: AccessEffect, base: Side | null, head: Side, changed: ChangedLines): readonly SourceLine[] {
  const now = { lines: linesFor(effect, head), changed: changed.head };
  const before = { lines: linesFor(effect, base), changed: changed.base };
  // What is lost may go with a line that leaves the base, or with one that comes: a label of another value.
  const [first, second] = effect.verb === "loses" ? [before, now] : [now, before];
  const cause = causeOf(first.lines, first.changed) ?? causeOf(second.lines, second.changed);
  return (cause ?? (first.lines.length > 0 ? first : second).lines).slice(0, LINES);
}

function linesFor({ key, part, machines, who }: AccessEffect, side: Side | null): readonly SourceLine[] {
  if (side?.whole == null) return [];
  const { repo, resolved } = side.whole;
  if (part.startsWith("trust:")) return trustLines(repo, part.slice("trust:".length), side.signers);
  const shown = machines.slice(0, MACHINES);
  const asked = shown.flatMap((machine) => resolved.sources(machine, key as SectionKey));
  const user = /^plugin (\S+)$/.exec(who)?.[1];
  if (part === "key") return uniqueLines([...shown.flatMap((machine) => keyLines(repo, machine)), ...asked]);
  if (part !== "grant" || user === undefined) {
    const plugin = repo.plugins.find(({ name }) => name === user);
    return uniqueLines([...(plugin === undefined ? [] : pluginLines(plugin, part)), ...asked]);
  }
  // A grant reaches only machines that run its plugin, so what selects those may be the cause; its version is not.
  return uniqueLines([
    ...asked,
    ...expiryLines(repo, key),
    ...shown.flatMap((machine) => resolved.sources(machine, `plugin/${user}` as SectionKey).slice(1)),
  ]);
}

function expiryLines(repo: FleetRepo, key: string): readonly SourceLine[] {
  const grant = repo.grants.find(({ name }) => name === key.split("/")[1]);
  return grant?.doc.spec.expires === undefined ? [] : [lineAt(grant, ["spec", "expires"])];
}

function keyLines(repo: FleetRepo, machine: MachineId): readonly SourceLine[] {
  const found = repo.machines.find(({ name }) => name === machine);
  return found === undefined ? [] : [lineAt(found, ["spec", "enclave", "kx"])];
}

function pluginLines(plugin: Loaded<"Plugin">, part: AccessEffect["part"]): readonly SourceLine[] {
  const { verify, network } = plugin.doc.spec;
  if (part === "signer")
    return [
      lineAt(plugin, ["spec", "verify", verify.key === undefined ? "keyless" : "key"]),
      ...(verify.key === undefined ? [] : [{ file: verify.key, line: 1, col: 1 }]),
    ];
  if (part === "network") return network.allow.length === 0 ? [] : [lineAt(plugin, ["spec", "network", "allow"])];
  return part === "bundle" ? [lineAt(plugin, ["spec", "digest"]), lineAt(plugin, ["spec", "version"])] : [];
}

function trustLines({ fleet }: FleetRepo, path: string, signers: string): readonly SourceLine[] {
  const { commits, bundles, roles, actions } = fleet.doc.spec.trust;
  const [field = "", ...rest] = path.split(".");
  const at = (...steps: readonly (string | number)[]): SourceLine => lineAt(fleet, ["spec", "trust", ...steps]);
  switch (field) {
    case "keys":
      return signerLines(signers, commits.allowedSigners, rest.join("."));
    case "vaultKeys":
      return signerLines(signers, commits.allowedSigners, "vault");
    case "authors":
      return [at("commits"), { file: commits.allowedSigners, line: 1, col: 1 }];
    case "recipients":
      return [{ file: "trust/recipients", line: 1, col: 1 }];
    case "bundles":
      return [{ file: bundles.trustedRoot, line: 1, col: 1 }, at("bundles")];
    case "roles": {
      const name = rest[0] as keyof typeof roles;
      const members = ["principals", "threshold", "touch", "by", "identity"].map((member) => at("roles", name, member));
      return uniqueLines([at("roles", name), ...members, ...roles[name].principals.map((_, i) => at("roles", name, "principals", i))]);
    }
    case "actions":
      return uniqueLines(
        actions.flatMap((rule, i) => [at("actions", i), ...rule.principals.map((_, j) => at("actions", i, "principals", j))]),
      );
    default:
      return [at(field)];
  }
}

/** Every line of the file that speaks of this principal. */
function signerLines(text: string, file: string, principal: string): readonly SourceLine[] {
  const lines = text.split("\n").flatMap((line, i) => (line.split(/[\s,]/).includes(principal) ? [{ file, line: i + 1, col: 1 }] : []));
  return lines.length > 0 ? lines : [{ file, line: 1, col: 1 }];
}

function lineAt(
  doc: {
    readonly file: string;
    locate(path: readonly (string | number)[], of?: "key" | "value"): { readonly line: number; readonly col: number };
  },
  path: readonly (string | number)[],
  of?: "key" | "value",
): SourceLine {
  const { line, col } = doc.locate(path, of);
  return { file: doc.file, line, col };
}
