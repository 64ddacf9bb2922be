import * as z from "zod";
import { documentOf, freeForm, principal, selector } from "./common.ts";

const kind = z.enum(["Fleet", "Machine", "Baseline", "Plugin", "Secret", "SecretGrant", "RotationPolicy", "Policy"]);

/** CEL, shaped like Kubernetes' ValidatingAdmissionPolicy. */
export const policy = documentOf(
  "Policy",
  z.strictObject({
    match: z.strictObject({ kinds: z.array(kind).min(1), machines: selector.optional() }),
    params: freeForm.default({}),
    variables: z
      .array(z.strictObject({ name: z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a CEL identifier"), expression: z.string().min(1) }))
      .default([]),
    validations: z
      .array(
        z.strictObject({
          expression: z.string().min(1),
          message: z.string().optional(),
          messageExpression: z.string().optional(),
          level: z.enum(["deny", "require-approval", "warn", "audit"]).default("deny"),
        }),
      )
      .min(1),
    owners: z.array(principal).default([]),
    approveCount: z.int().positive().default(1),
  }),
);
export type PolicyDocument = z.output<typeof policy>;
