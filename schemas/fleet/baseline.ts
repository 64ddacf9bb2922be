import * as z from "zod";
import { digest, documentOf, freeForm, selector, version } from "./common.ts";

const check = z.enum(["required", "report", "ignore"]);

const account = z.strictObject({
  name: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "an account's short name, lower case"),
  exclusive: z.boolean().default(false),
  keys: z.array(z.string().regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/, "a public key is type and base64, without a comment")).default([]),
});

/** No field has a default here, so that two baselines which set different fields of one machine never disagree by accident. */
export const baseline = documentOf(
  "Baseline",
  z.strictObject({
    machines: selector,
    runtime: z.strictObject({ version, serial: z.int().positive().default(1), digest, node: digest.optional() }).optional(),
    sshd: z
      .strictObject({
        passwordAuthentication: z.boolean().optional(),
        requireSecurityKeys: z.boolean().optional(),
        permitRootLogin: z.boolean().optional(),
      })
      .optional(),
    accounts: z.array(account).optional(),
    posture: z
      .strictObject({
        fileVault: check.optional(),
        sip: check.optional(),
        gatekeeper: check.optional(),
        firewall: check.optional(),
        foreignPersistence: check.optional(),
      })
      .optional(),
    power: z.strictObject({ sleep: z.enum(["never", "allowed"]).optional(), restartAfterPowerLoss: z.boolean().optional() }).optional(),
    openclaw: z.strictObject({ version, digest, config: freeForm.default({}) }).optional(),
    onViolation: z.enum(["warn", "withhold-secrets"]).optional(),
  }),
);
export type BaselineDocument = z.output<typeof baseline>;
