import { MooringError } from "#base/errors/index.ts";
import type { Json } from "#base/canonical/index.ts";
import {
  counter,
  type Desired,
  digest,
  type IdentitySection,
  NAME,
  type PluginSection,
  pluginId,
  type RunSpec,
} from "#schemas/wire/index.ts";
import * as z from "zod/mini";

const pluginSection = z.object({
  kind: z.literal("plugin"),
  name: pluginId,
  version: z.string(),
  serial: counter,
  bundle: digest,
  drift: z.enum(["correct", "warn", "ignore"]),
});

const runSpec = z.object({ mode: z.enum(["lobster", "gateway"]), restart: z.enum(["always", "on-failure", "never"]) });

const revokedItems = z.array(z.object({ kind: z.enum(["secret", "plugin", "machine", "signer"]), name: z.string() }));

/** A signed section is what people agreed to, and still its names become paths here: throws DESIRED_MALFORMED for a plugin section that this agent
 *  cannot take by its form, NOT_YET for a run mode it does not do and for revocations of another form: guessing would let something run. */
export function checkSections(desired: Desired): void {
  revokedIn(desired);
  for (const section of desired.sections) {
    if (section.kind !== "plugin") continue;
    const where = `plugin section ${NAME.test(section.name) ? section.name : "with a name outside the grammar"}`;
    if (!z.safeParse(pluginSection, section).success)
      throw new MooringError("DESIRED_MALFORMED", where, { why: "a member of another form" });
    if (runOf(section.run, where).mode === "gateway") throw new MooringError("NOT_YET", `${where}: run.mode gateway`);
  }
}

/** What the release itself calls revoked. */
export function revokedIn(desired: Desired): z.infer<typeof revokedItems> {
  const section = desired.sections.find((each) => each.kind === "revoked");
  if (section === undefined) return [];
  const parsed = z.safeParse(revokedItems, section.items);
  if (!parsed.success)
    throw new MooringError("NOT_YET", "section revoked", { why: "its items have another form than this agent knows", cause: parsed.error });
  return parsed.data;
}

/** The run spec inside a plugin section; members this agent does not know are left alone (they are the hub's to refuse). */
export function runOf(run: Json, where: string): RunSpec {
  const parsed = z.safeParse(runSpec, run);
  if (!parsed.success) throw new MooringError("DESIRED_MALFORMED", `${where}: run`, { why: "a member of another form" });
  return parsed.data;
}

export function identityOf(desired: Desired): IdentitySection {
  const identity = desired.sections.find((section) => section.kind === "identity");
  if (identity === undefined) throw new Error("an accepted desired state has an identity section"); // checked by acceptRelease
  return identity;
}

export function pluginNamed(desired: Desired, name: string): PluginSection | null {
  return desired.sections.find((section): section is PluginSection => section.kind === "plugin" && section.name === name) ?? null;
}
