import * as z from "zod";
import { cron, documentOf, duration, freeForm, secretRef, zone } from "./common.ts";

export const rotationPolicy = documentOf(
  "RotationPolicy",
  z.strictObject({
    secrets: z.array(secretRef).min(1),
    schedule: cron.optional(),
    timezone: zone.default("UTC"),
    maxAge: duration.optional(),
    window: duration.default("2h"),
    provider: z.strictObject({ kind: z.enum(["http", "postgres", "redis", "exec", "manual"]), config: freeForm.default({}) }),
    grace: duration.default("24h"),
    triggers: z.array(z.enum(["grant-removed", "plugin-revoked", "machine-lost"])).default([]),
  }),
);
export type RotationPolicyDocument = z.output<typeof rotationPolicy>;
