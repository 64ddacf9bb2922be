import { about, placeIn } from "../about.ts";
import type { Finding } from "../finding.ts";
import type { FleetRepo } from "../repo.ts";
import type { Path } from "../yaml.ts";
import { missing } from "./missing.ts";

/** A grant names a plugin and secrets that exist, each secret once. */
export function* checkGrants({ grants, plugins, secrets }: FleetRepo): Generator<Finding> {
  const pluginNames = plugins.map((item) => item.name);
  const refs = secrets.map((item) => `secret://${item.name}`);
  for (const grant of grants) {
    const { plugin, secrets: entries } = grant.doc.spec;
    if (plugin !== undefined && !pluginNames.includes(plugin)) yield missing(grant, ["spec", "plugin"], "plugin", plugin, pluginNames);
    const seen = new Map<string, Path>();
    for (const [i, entry] of entries.entries()) {
      const path: Path = ["spec", "secrets", i];
      const ref: Path = [...path, "ref"];
      if (!refs.includes(entry.ref)) yield missing(grant, ref, "secret", entry.ref, refs);
      const first = seen.get(entry.ref);
      if (first !== undefined)
        yield about(grant, ref, "FLEET_FIELD_INVALID", "the same secret twice in one grant", {
          rule: "grant-twice",
          also: [placeIn(grant, first)],
        });
      else seen.set(entry.ref, ref);
      if (entry.delivery === "resolve" && plugin !== undefined)
        yield about(grant, [...path, "delivery"], "FLEET_FIELD_INVALID", "delivery resolve is for gateway: true only", {
          rule: "grant-resolve",
        });
    }
  }
}

/** A rotation names secrets that exist. */
export function* checkRotations({ rotations, secrets }: FleetRepo): Generator<Finding> {
  const refs = secrets.map((item) => `secret://${item.name}`);
  for (const rotation of rotations) {
    for (const [i, ref] of rotation.doc.spec.secrets.entries())
      if (!refs.includes(ref)) yield missing(rotation, ["spec", "secrets", i], "secret", ref, refs);
  }
}
