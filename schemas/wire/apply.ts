import * as z from "zod/mini";
import { bytes64, counter, digest, revision } from "./names.ts";

/** One signed document with the SSHSIGs over it (armored). */
export const signedItem = z.readonly(z.strictObject({ bytes: bytes64, sigs: z.readonly(z.array(z.string())) }));
export const merklePath = z.readonly(z.strictObject({ index: counter, hashes: z.readonly(z.array(digest)) }));

/** What proves to a machine (or the vault) that `desired` is what people signed (WIRE §3.7). */
export const releaseProof = z.readonly(
  z.strictObject({
    head: signedItem,
    carried: z.readonly(z.array(signedItem)),
    trustChain: z.readonly(z.array(z.readonly(z.strictObject({ bytes: bytes64, sigs: z.readonly(z.array(z.string())), trust: bytes64 })))),
    paths: z.readonly(z.record(z.string(), merklePath)),
    secrets: z.nullable(z.readonly(z.strictObject({ head: signedItem, path: merklePath }))),
  }),
);
export type ReleaseProof = z.infer<typeof releaseProof>;

/** PUT /v1/applies/{id}; id = SHA-256 of the canonical body, 64 hex digits. */
export const applyRequest = z.strictObject({
  v: z.literal(1),
  epoch: counter,
  revision,
  root: digest,
  ifRoot: digest,
  ifGeneration: counter,
  desired: bytes64,
  release: releaseProof,
});
export type ApplyRequest = z.infer<typeof applyRequest>;

/** Where an apply is. `missing` = digests of bundles whose bytes the machine lacks; send them as packs. */
export const applyPhase = z.discriminatedUnion("at", [
  z.object({ at: z.literal("waiting"), missing: z.readonly(z.array(digest)) }),
  z.object({ at: z.literal("staging"), left: counter }),
  z.object({ at: z.literal("checking"), generation: counter }),
  z.object({ at: z.literal("done"), generation: counter }),
  z.object({ at: z.literal("undone"), reason: z.string(), message: z.string(), generation: counter }),
]);
export type ApplyPhase = z.infer<typeof applyPhase>;

/** One planned step. `before` and `after` are leaves; null = not there. */
export const step = z.object({
  key: z.string(),
  verb: z.enum(["add", "change", "repair", "remove"]),
  before: z.nullable(digest),
  after: z.nullable(digest),
  disrupts: z.boolean(),
});
export type Step = z.infer<typeof step>;

/** A generation's record on the machine. `of` = the generation whose plugin trees it carries again after a rollback. */
export const generationRecord = z.object({
  n: counter,
  root: digest,
  revision,
  release: counter,
  epoch: counter,
  of: z.nullable(counter),
  at: z.enum(["staged", "switched", "healthy", "failed"]),
});
export type GenerationRecord = z.infer<typeof generationRecord>;

/** `application/problem+json` of WIRE §1. */
export const problem = z.object({
  code: z.string(),
  message: z.string(),
  why: z.optional(z.string()),
  fix: z.optional(z.string()),
  disposition: z.enum(["retry", "wait", "stalled", "refused"]),
  have: z.optional(z.union([z.string(), z.number()])),
});
