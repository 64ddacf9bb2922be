import { demandOutcome, type Deps, openFleet, type SourceOptions } from "../fleet/open.ts";
import type { Io } from "../io.ts";
import { signOutcome, type SignOptions } from "./sign.ts";

/** `mooring release`: signs what main asks for. */
export async function release(options: SourceOptions & SignOptions, io: Io, deps: Deps): Promise<number> {
  const fleet = await openFleet(options);
  return signOutcome(fleet, await demandOutcome(fleet, fleet.main), "main", options, io, deps);
}
