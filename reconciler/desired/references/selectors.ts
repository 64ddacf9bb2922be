import type { Selector } from "#schemas/fleet/index.ts";
import { about, type AboutOptions } from "../about.ts";
import type { AnyLoaded, Loaded } from "../document.ts";
import type { Finding } from "../finding.ts";
import type { FleetRepo } from "../repo.ts";
import { isSelected } from "../select.ts";
import { nearest } from "../suggest.ts";
import type { Path } from "../yaml.ts";

type Machines = readonly Loaded<"Machine">[];

/** A selector that takes no machine is most often a misspelt label: a warning, since the machine may come tomorrow. */
export function* checkSelectors(repo: FleetRepo): Generator<Finding> {
  const { machines, plugins, grants, baselines, fleet, policies } = repo;
  if (machines.length === 0) return;
  for (const doc of [...plugins, ...grants, ...baselines])
    yield* checkOne(doc, ["spec", "machines"], doc.doc.spec.machines, machines, `${doc.kind} ${doc.name} selects no machine`);
  for (const [i, item] of fleet.doc.spec.freeze.entries())
    yield* checkOne(fleet, ["spec", "freeze", i, "machines"], item.machines, machines, `freeze ${item.name} selects no machine`);
  for (const policy of policies) {
    const selector = policy.doc.spec.match.machines;
    const what = `Policy ${policy.name} selects no machine`;
    if (selector !== undefined) yield* checkOne(policy, ["spec", "match", "machines"], selector, machines, what);
  }
  for (const plugin of plugins) yield* checkOverrides(plugin, machines);
  for (const grant of grants) yield* checkReach(grant, plugins, machines);
}

function* checkOne(doc: AnyLoaded, path: Path, selector: Selector, machines: Machines, message: string): Generator<Finding> {
  if (machines.some((machine) => isSelected(selector, machine.doc.metadata.labels))) return;
  const { at, why, fix } = misspelt(selector, machines);
  const options: AboutOptions = { level: "warning", rule: "selector-empty", fix };
  yield about(doc, [...path, ...at], "FLEET_UNUSED", why === null ? message : `${message}: ${why}`, options);
}

/** Which label it is, where one alone is the reason. */
function misspelt(
  selector: Selector,
  machines: Machines,
): { readonly at: Path; readonly why: string | null; readonly fix?: string | undefined } {
  if (selector === "all") return { at: [], why: null };
  for (const [key, value] of Object.entries(selector.labels)) {
    const values = new Set<string>();
    for (const { doc } of machines) if (Object.hasOwn(doc.metadata.labels, key)) values.add(doc.metadata.labels[key]!);
    if (values.has(value)) continue;
    const keys = new Set(machines.flatMap(({ doc }) => Object.keys(doc.metadata.labels)));
    const suggestion = values.size === 0 ? nearest(key, [...keys]) : nearest(value, [...values]);
    const meant = values.size === 0 ? suggestion : `${key}: ${suggestion}`;
    return {
      at: ["labels", key],
      why: values.size === 0 ? `no machine has a label ${key}` : `no machine has this value of label ${key}`,
      fix: suggestion === null ? undefined : `did you mean \`${meant}\`?`,
    };
  }
  return { at: [], why: "no machine has all of these labels" };
}

function* checkOverrides(plugin: Loaded<"Plugin">, machines: Machines): Generator<Finding> {
  const { overrides, machines: own } = plugin.doc.spec;
  if (overrides.length === 0) return;
  const mine = machines.filter((machine) => isSelected(own, machine.doc.metadata.labels));
  for (const [i, item] of mine.length === 0 ? [] : overrides.entries())
    yield* checkOne(
      plugin,
      ["spec", "overrides", i, "machines"],
      item.machines,
      mine,
      `override of plugin ${plugin.name} selects none of its machines`,
    );
}

/** A grant reaches only machines that run its plugin too. */
function* checkReach(grant: Loaded<"SecretGrant">, plugins: FleetRepo["plugins"], machines: Machines): Generator<Finding> {
  const plugin = plugins.find((item) => item.name === grant.doc.spec.plugin);
  if (plugin === undefined) return;
  const takes = ({ doc }: Loaded<"Machine">, selector: Selector): boolean => isSelected(selector, doc.metadata.labels);
  const [granted, running] = [grant.doc.spec.machines, plugin.doc.spec.machines];
  if (!machines.some((machine) => takes(machine, granted)) || !machines.some((machine) => takes(machine, running))) return; // said already
  if (machines.some((machine) => takes(machine, granted) && takes(machine, running))) return;
  const message = `SecretGrant ${grant.name} reaches nothing: plugin ${plugin.name} runs on none of its machines`;
  yield about(grant, ["spec", "machines"], "FLEET_UNUSED", message, {
    level: "warning",
    rule: "grant-unreached",
    of: "key",
    also: [{ ...plugin.locate(["spec", "machines"], "key"), file: plugin.file }],
  });
}
