import { NAME, SECRET_REF } from "#schemas/wire/names.ts";
import { CronTime } from "cron";
import * as z from "zod";
import { DURATION, PERCENT, SIZE } from "./units.ts";

/** What names a resource; also its file's name. */
export const name = z
  .string()
  .regex(NAME, "a name is lower-case letters, digits, dots and dashes, at most 63")
  .meta({ description: "Same as the file's name." });

export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "a digest is sha256: and 64 lower-case hex digits");

export const duration = z.string().regex(DURATION, "a duration is a number and s, m, h or d, like 10m");

/** A byte count such as 512Mi. */
export const size = z.string().regex(SIZE, "a size is a number and Ki, Mi, Gi or Ti, like 512Mi");

export const percentOrCount = z.union([z.int().nonnegative(), z.string().regex(PERCENT, "a share is a whole number and %, like 10%")]);

/** MAJOR.MINOR.PATCH with an optional pre-release. */
export const version = z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, "a version is three numbers, like 1.4.2");

export const secretRef = z.string().regex(SECRET_REF, "a secret is written secret://team/name");

export const principal = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,126}$/, "a principal is written like a@acme.dev");

/** A day (2027-01-01, its first instant in UTC) or an instant in UTC. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{3})?Z)?$/, "a time is 2027-01-01 or 2027-01-01T09:00:00Z")
  .refine((text) => isRealTime(text), "there is no such day or time");

/** A path inside the fleet repo. */
export const repoPath = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/, "a path inside the fleet repo, without . or ..");

export const httpsUrl = z.string().regex(/^https:\/\/[^\s@/]+(\/[^\s]*)?$/, "an https:// address without user and password");

/** Five fields, as the `cron` package reads them (no L, W or #). */
export const cron = z
  .string()
  .refine((text) => text.trim().split(/\s+/).length === 5 && isCron(text), "a schedule is five cron fields, like 0 3 * * 1");

export const zone = z.string().refine((text) => isZone(text), "a time zone is an IANA name, like Europe/Berlin");

/** Any JSON object that a plugin or provider reads. */
export const freeForm = z.record(z.string(), z.json());

const labelKey = z.string().regex(/^[a-zA-Z0-9]([a-zA-Z0-9._/-]{0,61}[a-zA-Z0-9])?$/, "a label's name is letters, digits and . _ / -");
const labelValue = z.string().regex(/^[a-zA-Z0-9]?([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$/, "a label's value is letters, digits and . _ -");
export const labels = z.record(labelKey, labelValue);

/** Machines by label (all of the labels given), or every one. */
export const selector = z.union([
  z.literal("all"),
  z.strictObject({ labels: labels.refine((map) => Object.keys(map).length > 0, "name a label, or write `all`") }),
]);
export type Selector = z.output<typeof selector>;

const metadataOf = (nameSchema: z.ZodString) =>
  z.strictObject({ name: nameSchema, labels: labels.default({}), annotations: z.record(z.string(), z.string()).default({}) });

/** The envelope every kind has. */
export function documentOf<K extends string, S extends z.ZodType>(kind: K, spec: S, nameSchema: z.ZodString = name) {
  return z
    .strictObject({
      apiVersion: z.literal("mooring/v1"),
      kind: z.literal(kind),
      metadata: metadataOf(nameSchema),
      spec,
    })
    .meta({ id: kind });
}

function isRealTime(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 10));
}

function isCron(text: string): boolean {
  try {
    new CronTime(text, "UTC").getNextDateFrom(new Date(0), "UTC"); // 30 February is only found by asking for the next time
    return true;
  } catch {
    return false; // what cron says quotes the text; the message is ours
  }
}

function isZone(text: string): boolean {
  try {
    return /^[A-Za-z][A-Za-z0-9_+/-]*$/.test(text) && new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
