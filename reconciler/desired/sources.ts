import type { MachineId, SectionKey } from "#schemas/wire/index.ts";
import type { Selector } from "#schemas/fleet/index.ts";
import type { SourceLine } from "#plan/index.ts";
import { baselinesFor, mergeBaselines } from "./baseline.ts";
import type { AnyLoaded, Loaded } from "./document.ts";
import type { FleetRepo } from "./repo.ts";
import { grantName } from "./sections.ts";
import { isSelected } from "./select.ts";
import type { Path } from "./yaml.ts";

/** Which lines of the repo ask for a section on a machine: the setting first, then the selector and the label it met. */
export function sourcesOf(repo: FleetRepo): (machine: MachineId, key: SectionKey) => readonly SourceLine[] {
  const machines = new Map(repo.machines.map((item) => [item.name, item]));
  return (name, key) => {
    const machine = machines.get(name);
    return machine === undefined ? [] : unique(linesFor(repo, machine, key));
  };
}

function linesFor(repo: FleetRepo, machine: Loaded<"Machine">, key: string): readonly SourceLine[] {
  const kind = key.split("/", 1)[0]!;
  const name = key.slice(kind.length + 1);
  switch (kind) {
    case "trust":
      return [line(repo.fleet, ["spec", "trust"], "key"), { file: repo.fleet.doc.spec.trust.commits.allowedSigners, line: 1, col: 1 }];
    case "identity":
      return [line(machine, ["spec", "enclave"], "key"), line(machine, ["spec", "mode"])];
    case "plugin":
      return pluginLines(repo, machine, name);
    case "grant":
      return grantLines(repo, machine, name);
    case "secret":
      return repo.secrets.filter((item) => item.name === name).map((item) => line(item, ["spec", "current"]));
    case "account":
      return baselineLines(repo, machine, (field) => field === `accounts.${name}`);
    case "agent":
      return baselineLines(repo, machine, (field) => field === "runtime");
    case "posture":
      return baselineLines(repo, machine, (field) => /^(posture|power)\.|^onViolation$/.test(field));
    default:
      return baselineLines(repo, machine, (field) => field.startsWith(`${kind}.`));
  }
}

function pluginLines(repo: FleetRepo, machine: Loaded<"Machine">, name: string): readonly SourceLine[] {
  const plugin = repo.plugins.find((item) => item.name === name);
  if (plugin === undefined || !isSelected(plugin.doc.spec.machines, machine.doc.metadata.labels)) return [];
  const override = plugin.doc.spec.overrides.findIndex((item) => isSelected(item.machines, machine.doc.metadata.labels));
  const own = override < 0 ? [] : [line(plugin, ["spec", "overrides", override], "key")];
  return [line(plugin, ["spec", "version"]), ...own, ...selectorLines(plugin, plugin.doc.spec.machines, machine)];
}

function grantLines(repo: FleetRepo, machine: Loaded<"Machine">, name: string): readonly SourceLine[] {
  for (const grant of repo.grants) {
    const i = grant.doc.spec.secrets.findIndex((_, at) => grantName(grant, at) === name);
    if (i >= 0 && isSelected(grant.doc.spec.machines, machine.doc.metadata.labels)) {
      return [
        line(grant, ["spec", "secrets", i, "ref"]),
        ...selectorLines(grant, grant.doc.spec.machines, machine),
        line(machine, ["spec", "enclave", "kx"]),
      ];
    }
  }
  return [];
}

function baselineLines(repo: FleetRepo, machine: Loaded<"Machine">, isMine: (field: string) => boolean): readonly SourceLine[] {
  const { fields } = mergeBaselines(baselinesFor(repo.baselines, machine.doc.metadata.labels));
  return [...fields].filter(([field]) => isMine(field)).map(([, { from, path }]) => line(from, path));
}

function selectorLines(doc: AnyLoaded, selector: Selector, machine: Loaded<"Machine">): readonly SourceLine[] {
  const labels = selector === "all" ? [] : Object.keys(selector.labels);
  return [line(doc, ["spec", "machines"], "key"), ...labels.map((label) => line(machine, ["metadata", "labels", label]))];
}

function line(doc: AnyLoaded, path: Path, of: "key" | "value" = "value"): SourceLine {
  const { line, col } = doc.locate(path, of);
  return { file: doc.file, line, col };
}

function unique(lines: readonly SourceLine[]): readonly SourceLine[] {
  return [...new Map(lines.map((item) => [`${item.file}:${item.line}`, item])).values()];
}
