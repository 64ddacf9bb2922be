import * as z from "zod";
import { documentOf, duration } from "./common.ts";

/** Software keys are files; `allowSoftwareKeys` of the fleet must say so. */
const enclave = z.strictObject({
  driver: z.enum(["secure-enclave", "tpm2", "software"]),
  kx: z.string().regex(/^age1tag1[02-9ac-hj-np-z]{59}$/, "the machine's recipient, age1tag1 and 59 more characters, as `init` printed it"),
  sig: z.string().regex(/^[A-Za-z0-9+/]{20,}={0,2}$/, "base64 of the machine's public signing key, as `init` printed it"),
  proof: z
    .string()
    .regex(/^[A-Za-z0-9+/]+={0,2}$/, "base64, as `init` printed it")
    .optional(),
});

const address = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, "a host name or an address, without a port");
const hostKey = z
  .string()
  .regex(/^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/, "a host key is written like in known_hosts: type and base64");

export const machine = documentOf(
  "Machine",
  z.strictObject({
    connect: z.strictObject({
      addresses: z.array(address).min(1),
      port: z.int().min(1).max(65_535).default(22),
      via: z.enum(["direct", "openssh"]).default("direct"),
    }),
    hostKeys: z.array(hostKey).min(1),
    incarnation: z.int().positive().default(1),
    enclave,
    mode: z.enum(["observe", "manage"]).default("observe"),
    availability: z.enum(["always", "intermittent"]).default("always"),
    offlineAfter: duration.default("24h"),
  }),
);
export type MachineDocument = z.output<typeof machine>;
