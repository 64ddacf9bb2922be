import type { Digest } from "#base/canonical/index.ts";
import * as z from "zod";
import { digest as digestText, name, secretRef, version } from "./common.ts";

const digest = digestText.transform((text) => text as Digest);
const mode = z.int().min(0).max(0o777);

/** plugins/<name>.lock.json: what a bundle held when somebody pinned it, written by `mooring plugin pin` and reviewed with the plugin. The lock of
 *  an override that names another version is plugins/<name>-<version>.lock.json. */
export const pluginLock = z
  .strictObject({
    v: z.literal(1),
    name,
    version,
    serial: z.int().positive(),
    digest,
    tree: digest,
    main: z.string().min(1),
    /** Secrets the plugin says it asks for; absent = it does not say. */
    wants: z.array(secretRef).max(100).readonly().optional(),
    files: z
      .array(z.tuple([z.string().min(1), mode, z.int().nonnegative(), digest]).readonly())
      .min(1)
      .readonly(),
  })
  .readonly();
export type PluginLock = z.output<typeof pluginLock>;
