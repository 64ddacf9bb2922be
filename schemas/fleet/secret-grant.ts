import * as z from "zod";
import { documentOf, instant, name, secretRef, selector } from "./common.ts";

const host = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, "a host name, lower case");

const entry = z
  .strictObject({
    ref: secretRef,
    delivery: z.enum(["fd", "egress", "resolve"]),
    hosts: z.array(host).min(1).optional(),
    header: z
      .string()
      .regex(/^[a-z0-9-]+$/, "a header's name, lower case")
      .optional(),
  })
  .refine(
    (item) => (item.delivery === "egress") === (item.hosts !== undefined && item.header !== undefined),
    "hosts and header belong to delivery egress, and it needs both",
  )
  .refine(
    (item) => item.delivery === "egress" || (item.hosts === undefined && item.header === undefined),
    "hosts and header belong to delivery egress only",
  );

export const secretGrant = documentOf(
  "SecretGrant",
  z
    .strictObject({
      plugin: name.optional(),
      gateway: z.literal(true).optional(),
      machines: selector,
      secrets: z.array(entry).min(1),
      expires: instant.optional(),
    })
    .refine((spec) => (spec.plugin === undefined) !== (spec.gateway === undefined), "name exactly one of plugin and gateway: true"),
);
export type SecretGrantDocument = z.output<typeof secretGrant>;
