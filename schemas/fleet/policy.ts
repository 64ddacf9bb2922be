import * as z from "zod";
import { documentOf, freeForm, principal, selector } from "./common.ts";

const kind = z.enum(["Fleet", "Machine", "Baseline", "Plugin", "Secret", "SecretGrant", "RotationPolicy", "Policy"]);

const action = z.enum(["create", "update", "delete", "keep"]);
const expression = z.string().min(1).max(4096, "at most 4096 characters");

/** CEL, shaped like Kubernetes' ValidatingAdmissionPolicy. */
export const policy = documentOf(
  "Policy",
  z.strictObject({
    match: z.strictObject({
      kinds: z.array(kind).min(1),
      actions: z.array(action).min(1).default(["create", "update", "delete"]),
      machines: selector.optional(),
    }),
    params: freeForm.default({}),
    variables: z
      .array(z.strictObject({ name: z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a CEL identifier"), expression }))
      .max(50, "at most 50 variables")
      .default([]),
    validations: z
      .array(
        z.strictObject({
          expression,
          message: z.string().min(1).max(500, "at most 500 characters").optional(),
          messageExpression: expression.optional(),
          level: z.enum(["deny", "require-approval", "warn", "audit"]).default("deny"),
        }),
      )
      .min(1)
      .max(100, "at most 100 validations"),
    owners: z.array(principal).default([]),
    approveCount: z.int().positive().default(1),
  }),
);
export type PolicyDocument = z.output<typeof policy>;
