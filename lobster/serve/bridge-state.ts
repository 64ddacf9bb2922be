import type { BridgeState } from "#bridge/client/index.ts";
import type { Time } from "#base/time/index.ts";
import { leafOf } from "#proof/root/index.ts";
import type { GrantSection, Pins, PluginId, SecretSection } from "#schemas/wire/index.ts";
import type { AcceptedRelease } from "../apply/index.ts";
import type { Generation } from "../content/index.ts";
import type { Revoked } from "../statements/index.ts";

export type Proven = {
  readonly pins: Pins;
  readonly accepted: AcceptedRelease;
  readonly generation: Generation | null;
  readonly revoked: Revoked;
  readonly withheld: ReadonlySet<PluginId>;
  readonly floor: Time;
};

/** What the bridge may rely on: grants and secrets of the accepted release, plugins of the current generation, less what is revoked or withheld. Pure. */
export function bridgeStateOf({ pins, accepted, generation, revoked, withheld, floor }: Proven): BridgeState {
  const { sections } = accepted.desired;
  return {
    fleet: pins.fleet,
    machine: pins.machine,
    incarnation: pins.incarnation,
    releaseSerial: accepted.head.serial,
    vaultKeys: accepted.trust.vaultKeys,
    grants: sections
      .filter((section): section is GrantSection => section.kind === "grant")
      .map((section) => ({ leaf: leafOf(section), section })),
    secrets: sections.filter((section): section is SecretSection => section.kind === "secret"),
    plugins: (generation?.plugins ?? []).map(({ section }) => ({ id: section.name, bundle: section.bundle })),
    revoked,
    withheld: [...withheld].sort(),
    floor,
  };
}
