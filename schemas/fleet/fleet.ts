import * as z from "zod";
import { cron, documentOf, duration, httpsUrl, name, principal, repoPath, selector, zone } from "./common.ts";

const forgeId = z.string().regex(/^[1-9]\d{0,18}$/, "the forge's own number, in quotes");

/** The workflow whose sigstore identity signs for a role that is `by: ci`. */
const workflow = z.strictObject({
  issuer: httpsUrl,
  repository: z.string().regex(/^[A-Za-z0-9][\w.-]*\/[\w.-]+$/, "written like acme/fleet"),
  repositoryId: forgeId,
  ownerId: forgeId,
  workflow: z.string().regex(/^\.github\/workflows\/[\w.-]+\.ya?ml$/, "written like .github/workflows/release.yml"),
  ref: z.string().regex(/^refs\/(heads|tags)\/[A-Za-z0-9][\w./-]*$/, "one branch or tag, written like refs/heads/main"),
});

const principals = z.array(principal).default([]);
const threshold = z.int().positive().default(1);
const touch = z.enum(["optional", "required"]).default("optional");

/** Whom to trust and who may use a secret is signed by people alone. */
const peopleRole = z.strictObject({ by: z.literal("people").default("people"), principals, threshold, touch });
const anyRole = z.strictObject({
  by: z.enum(["people", "ci", "hub"]).default("people"),
  principals,
  threshold,
  touch,
  identity: workflow.optional(),
});

const action = z.enum(["pause", "hold", "prune", "restore", "override", "reset", "revoke"]);

const trust = z.strictObject({
  roles: z.strictObject({ root: peopleRole, release: anyRole, access: peopleRole, secrets: anyRole }),
  actions: z
    .array(z.strictObject({ actions: z.array(action).min(1), principals: z.array(principal).min(1), maxDuration: duration.optional() }))
    .default([]),
  commits: z
    .strictObject({
      allowedSigners: repoPath.default("trust/allowed_signers"),
      openpgpKeys: repoPath.default("trust/openpgp.asc"),
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
