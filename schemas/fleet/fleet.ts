import * as z from "zod";
import { cron, documentOf, duration, httpsUrl, name, principal, repoPath, selector, zone } from "./common.ts";

/** The workflow whose sigstore identity signs for a role that is `by: ci`. */
const workflow = z.strictObject({ issuer: httpsUrl, repository: z.string(), workflow: z.string(), ref: z.string() });

const role = z.strictObject({
  by: z.enum(["people", "ci", "hub"]).default("people"),
  principals: z.array(principal).default([]),
  threshold: z.int().positive().default(1),
  touch: z.enum(["optional", "required"]).default("optional"),
  identity: workflow.optional(),
});

const action = z.enum(["pause", "hold", "prune", "restore", "override", "reset", "revoke"]);

const trust = z.strictObject({
  roles: z.strictObject({ root: role, release: role, access: role, secrets: role }),
  actions: z
    .array(z.strictObject({ actions: z.array(action).min(1), principals: z.array(principal).min(1), maxDuration: duration.optional() }))
    .default([]),
  commits: z
    .strictObject({
      allowedSigners: repoPath.default("trust/allowed_signers"),
      require: z.enum(["none", "head", "every"]).default("none"),
    })
    .prefault({}),
  bundles: z.strictObject({ trustedRoot: repoPath.default("trust/trusted_root.json") }).prefault({}),
  lease: duration.default("48h"),
  expires: duration.default("90d"),
});

const freeze = z.strictObject({
  name,
  schedule: cron,
  duration,
  timezone: zone.default("UTC"),
  machines: selector.default("all"),
  allow: z.array(z.enum(["drift", "revoke", "secrets", "rollback"])).default(["drift", "revoke"]),
});

const notification = z.strictObject({
  name,
  kind: z.enum(["webhook", "slack", "email", "commit-status"]),
  to: z.string().optional(),
  on: z.array(z.enum(["stalled", "degraded", "drift", "rollout", "revoked", "expiring"])).default([]),
});

export const fleet = documentOf(
  "Fleet",
  z.strictObject({
    requires: z
      .string()
      .regex(/^>=\d+(\.\d+){0,2}$/, "written like >=0.4")
      .default(">=0.1"),
    interval: duration.default("10m"),
    trust,
    allowSoftwareKeys: z.boolean().default(false),
    prune: z
      .strictObject({
        mode: z.enum(["confirm", "auto", "report"]).default("confirm"),
        maxDeletePercent: z.int().min(0).max(100).default(20),
      })
      .prefault({}),
    freeze: z.array(freeze).default([]),
    retention: z
      .strictObject({
        events: duration.default("90d"),
        pluginLogs: z
          .string()
          .regex(/^[1-9]\d*[smhd](\/[1-9]\d*(Ki|Mi|Gi|Ti))?$/, "written like 7d/500Mi")
          .default("7d/500Mi"),
        audit: duration.default("400d"),
      })
      .prefault({}),
    notifications: z.array(notification).default([]),
  }),
);
export type FleetDocument = z.output<typeof fleet>;
