import { timeOf } from "#base/time/index.ts";
import type { MachineId } from "#schemas/wire/index.ts";
import { hubClient } from "../hub/client.ts";
import type { LiveState } from "./review.ts";

/** What the hub at `socket` last saw of the machines; `observedAt` is the oldest look among those that it reaches, so nothing here is newer than it says. */
export async function liveState(socket: string, nowMs: number): Promise<LiveState> {
  const machines = await hubClient(socket).machines();
  const reached = machines.filter(({ reachable }) => reachable);
  const seen = reached.flatMap(({ lastSeen }) => (lastSeen === null ? [] : [lastSeen as string])).sort();
  return {
    observedAt: seen[0] ?? timeOf(nowMs),
    inSync: reached.filter(({ inSync }) => inSync).length,
    drifted: namesOf(reached.filter(({ inSync }) => !inSync)),
    offline: namesOf(machines.filter(({ reachable }) => !reachable)),
  };
}

function namesOf(machines: readonly { readonly name: MachineId }[]): readonly MachineId[] {
  return machines.map(({ name }) => name).sort();
}
