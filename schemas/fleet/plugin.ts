import * as z from "zod";
import {
  digest,
  documentOf,
  duration,
  freeForm,
  httpsUrl,
  instant,
  name,
  percentOrCount,
  repoPath,
  selector,
  size,
  version,
} from "./common.ts";

/** Whether exactly one member is there; the JSON Schema cannot say it. */
const one = (value: object): boolean => Object.values(value).filter((member) => member !== undefined).length === 1;

const source = z
  .strictObject({
    url: z
      .string()
      .regex(/^(https|http|file):\/\/[^\s@]+$/, "an address without user and password")
      .optional(),
    path: repoPath.optional(),
    npm: z.string().optional(),
    oci: z.string().optional(),
  })
  .refine(one, "name exactly one of url, path, npm, oci");

const keyless = z.strictObject({
  issuer: httpsUrl,
  repository: z.string(),
  repositoryId: z.string(),
  ownerId: z.string(),
  workflow: z.string(),
  ref: z.string(),
});

const verify = z.strictObject({ keyless: keyless.optional(), key: repoPath.optional() }).refine(one, "name exactly one of key, keyless");

const downgrade = z.strictObject({ version, reason: z.string().min(1), expires: instant });

const run = z.strictObject({
  mode: z.enum(["lobster", "gateway"]).default("lobster"),
  restart: z.enum(["always", "on-failure", "never"]).default("always"),
  health: z
    .strictObject({ http: z.string().regex(/^unix:[A-Za-z0-9._-]+$/, "written like unix:health.sock"), timeout: duration.default("10s") })
    .optional(),
  limits: z
    .strictObject({ memory: size.optional(), cpuPercent: z.int().positive().optional(), processes: z.int().positive().optional() })
    .optional(),
  state: z.strictObject({ keep: z.boolean().default(true), maxSize: size.optional() }).optional(),
  session: z.enum(["none", "gui"]).default("none"),
});

const rollout = z.strictObject({
  canary: z.int().nonnegative().default(1),
  maxUnavailable: percentOrCount.default("10%"),
  partitions: z.array(z.string().regex(/^[a-zA-Z0-9._/-]+=[a-zA-Z0-9._-]*$/, "a partition is written like ring=canary")).default([]),
  soak: duration.default("10m"),
  onFailure: z.enum(["rollback", "hold"]).default("rollback"),
});

export const plugin = documentOf(
  "Plugin",
  z.strictObject({
    version,
    source,
    digest,
    verify,
    machines: selector,
    config: freeForm.default({}),
    overrides: z
      .array(z.strictObject({ machines: selector, version: version.optional(), digest: digest.optional(), config: freeForm.optional() }))
      .default([]),
    allowDowngradeTo: downgrade.optional(),
    assets: z.array(z.strictObject({ name, url: httpsUrl, digest, size })).default([]),
    run: run.prefault({}),
    network: z
      .strictObject({
        allow: z.array(z.string().regex(/^[a-z0-9*]([a-z0-9.*-]*[a-z0-9])?:\d{1,5}$/, "written like api.openai.com:443")).default([]),
      })
      .prefault({}),
    rollout: rollout.prefault({}),
    dependsOn: z.array(name).default([]),
    drift: z.enum(["correct", "warn", "ignore"]).default("correct"),
  }),
);
export type PluginDocument = z.output<typeof plugin>;
