import * as z from "zod";
import { digest, documentOf, instant } from "./common.ts";

const secretName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}(\/[a-z0-9][a-z0-9._-]{0,62}){1,3}$/,
    "a secret's name is team/name, the path of its file below secrets/",
  );

const serial = z.string().regex(/^[1-9]\d{0,8}$/, "a version is a whole number in quotes");

export const secret = documentOf(
  "Secret",
  z.strictObject({
    current: z.int().positive(),
    previous: z.int().positive().optional(),
    versions: z.record(
      serial,
      z.strictObject({
        file: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*\.age$/, "the name of an .age file beside this one"),
        digest,
        created: instant,
      }),
    ),
  }),
  secretName,
);
export type SecretDocument = z.output<typeof secret>;
