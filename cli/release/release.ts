import { demandOutcome, type Deps, openFleet, type SourceOptions } from "../fleet/open.ts";
import type { Io } from "../io.ts";
import { type Distrust, distrustText } from "./distrust.ts";
import { signOutcome, type SignOptions } from "./sign.ts";

export type ReleaseOptions = SourceOptions &
  SignOptions & {
    /** Whose signatures count no longer by main's own trust section: says what hung on them before it signs. */
    readonly distrust?: Distrust | undefined;
  };

/** `mooring release`: signs what main asks for. */
export async function release(options: ReleaseOptions, io: Io, deps: Deps): Promise<number> {
  const fleet = await openFleet(options);
  const outcome = await demandOutcome(fleet, fleet.main);
  const { distrust } = options;
  if (distrust === undefined) return signOutcome(fleet, outcome, "main", options, io, deps);
  return signOutcome(fleet, outcome, "main", options, io, deps, async (at) => ({ text: await distrustText(fleet, outcome, distrust, at) }));
}
