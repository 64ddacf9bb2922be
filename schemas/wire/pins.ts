import * as z from "zod/mini";
import { counter, digest, fleetId, machineId } from "./names.ts";

/** The root-owned file an enrolment leaves on a machine: who it is and whom it trusts first. */
export const pins = z.strictObject({
  v: z.literal(1),
  fleet: fleetId,
  machine: machineId,
  incarnation: counter,
  /** Leaf of the trust section at enrolment. */
  trust: digest,
  /** `software` only with an explicit opt-in. */
  driver: z.enum(["software"]),
  allowSoftwareKeys: z.boolean(),
});
export type Pins = z.infer<typeof pins>;

/** The machine's own statement, made by `init`, signed with its sig key: what a Machine document takes over. */
export const machineStatement = z.strictObject({
  t: z.literal("mooring/machine/v1"),
  fleet: fleetId,
  machine: machineId,
  incarnation: counter,
  driver: z.string(),
  kx: z.string(),
  sig: z.string(),
});
export type MachineStatement = z.infer<typeof machineStatement>;
