import { about, placeIn, spot } from "../about.ts";
import type { Loaded } from "../document.ts";
import type { Elsewhere, Finding } from "../finding.ts";
import { lockPath } from "../lock.ts";
import type { FleetRepo } from "../repo.ts";
import { isSelected } from "../select.ts";
import { nearest } from "../suggest.ts";
import type { Path } from "../yaml.ts";

/** One version of a plugin that some machines run, whose lock says what secrets it asks for. */
type Pin = { readonly path: Path; readonly lock: string; readonly wants: readonly string[]; readonly override: number | null };

/** What plugins ask for (their locks) against what they are granted. Both directions are warnings: a plugin may do without, and a grant may come
 *  before the version that wants it; but each is a question a reviewer should ask. A plugin that does not say what it wants is not asked. */
export function* checkWants(repo: FleetRepo): Generator<Finding> {
  for (const plugin of repo.plugins) {
    const pins = pinsOf(plugin, repo);
    const grants = repo.grants.filter((grant) => grant.doc.spec.plugin === plugin.name);
    for (const pin of pins ?? []) yield* ungranted(plugin, pin, grants, repo);
    if (pins !== null) yield* wider(plugin, pins, grants, repo);
  }
}

/** Null where a version in use does not say. */
function pinsOf(plugin: Loaded<"Plugin">, { locks }: FleetRepo): readonly Pin[] | null {
  const { version, overrides } = plugin.doc.spec;
  const all: readonly (readonly [path: Path, lock: string, override: number | null])[] = [
    [["spec", "version"], lockPath(plugin.name, version, false), null],
    ...overrides.flatMap((item, i) =>
      item.version === undefined
        ? []
        : [[["spec", "overrides", i, "version"], lockPath(plugin.name, item.version, true), i] satisfies [Path, string, number]],
    ),
  ];
  const pins: Pin[] = [];
  for (const [path, lock, override] of all) {
    const wants = locks.get(lock)?.wants;
    if (wants === undefined) return null;
    pins.push({ path, lock, wants, override });
  }
  return pins;
}

function* ungranted(plugin: Loaded<"Plugin">, pin: Pin, grants: readonly Loaded<"SecretGrant">[], repo: FleetRepo): Generator<Finding> {
  const machines = pin.wants.length === 0 ? [] : runningOn(plugin, pin, repo);
  for (const ref of pin.wants) {
    const giving = grants.filter((grant) => grant.doc.spec.secrets.some((entry) => entry.ref === ref));
    const without = machines.filter(({ doc }) => !giving.some((grant) => isSelected(grant.doc.spec.machines, doc.metadata.labels)));
    const [first] = without;
    if (first === undefined) continue;
    const [lock, other] = [placeOfWant(pin, ref, repo), giving[0]];
    const where = without.length === 1 ? `machine ${first.name}` : `${without.length} machines (${first.name} …)`;
    const message = `plugin ${plugin.name} wants ${ref} (${spot(lock)}) and is not granted it on ${where}`;
    yield about(plugin, pin.path, "PLUGIN_WANT_UNGRANTED", message, {
      level: "warning",
      rule: repo.secrets.some((secret) => `secret://${secret.name}` === ref) ? "want-ungranted" : "want-unknown",
      fix: fixOf(ref, grants, repo),
      also: [lock, ...(other === undefined ? [] : [placeIn(other, ["spec", "machines"], "key")])],
    });
  }
}

function fixOf(ref: string, grants: readonly Loaded<"SecretGrant">[], { secrets }: FleetRepo): string | undefined {
  const refs = secrets.map((secret) => `secret://${secret.name}`);
  if (refs.includes(ref)) return undefined;
  const granted = grants.flatMap((grant) => grant.doc.spec.secrets.map((entry) => entry.ref));
  const suggestion = nearest(ref, [...granted, ...refs]);
  return suggestion === null
    ? "there is no such secret yet: `mooring secret-ref add`, then grant it"
    : `there is no such secret; did you mean \`${suggestion}\`?`;
}

function* wider(
  plugin: Loaded<"Plugin">,
  pins: readonly Pin[],
  grants: readonly Loaded<"SecretGrant">[],
  repo: FleetRepo,
): Generator<Finding> {
  const wanted = new Set(pins.flatMap((pin) => pin.wants));
  for (const grant of grants) {
    for (const [i, { ref }] of grant.doc.spec.secrets.entries()) {
      if (wanted.has(ref)) continue;
      const suggestion = nearest(ref, [...wanted]);
      const lock = pins[0]!.lock;
      const also: Elsewhere =
        suggestion === null
          ? { ...placeIn(plugin, ["spec", "version"]) }
          : placeOfWant(pins.find((pin) => pin.wants.includes(suggestion))!, suggestion, repo);
      yield about(grant, ["spec", "secrets", i, "ref"], "GRANT_WIDER", `plugin ${plugin.name} is granted more than it wants (${lock})`, {
        level: "warning",
        rule: "grant-wider",
        fix: suggestion === null ? undefined : `did you mean \`${suggestion}\`?`,
        also: [also],
      });
    }
  }
}

/** Machines that run this version. */
function runningOn(plugin: Loaded<"Plugin">, pin: Pin, { machines }: FleetRepo): readonly Loaded<"Machine">[] {
  const { overrides, machines: selector } = plugin.doc.spec;
  return machines.filter(({ doc: { metadata } }) => {
    if (!isSelected(selector, metadata.labels)) return false;
    const own = overrides.findIndex((item) => isSelected(item.machines, metadata.labels));
    return pin.override === null ? own < 0 || overrides[own]!.version === undefined : own === pin.override;
  });
}

function placeOfWant(pin: Pin, ref: string, { wantPlaces }: FleetRepo): Elsewhere {
  const place = wantPlaces.get(pin.lock)?.get(ref);
  return { ...(place ?? { line: 1, col: 1, endLine: 1, endCol: 1 }), file: pin.lock };
}
