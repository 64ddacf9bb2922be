import type { Writable } from "node:stream";
import { type Digest } from "#base/canonical/index.ts";
import { hasCode, MooringError } from "#base/errors/index.ts";
import type { Trust } from "#proof/release/index.ts";
import { trustOf } from "#reconciler/revision/index.ts";
import { secretRef } from "#schemas/wire/index.ts";
import { memoryOf } from "./fleet/memory.ts";
import { demandOutcome, type Deps, openFleet, type SourceOptions } from "./fleet/open.ts";
import type { Out } from "./io.ts";
import { standingOf } from "./release/standing.ts";
import { type Input, readValue, secretRefAdd } from "./secret-ref/index.ts";
import { outcomeOfFolder } from "./trust-root.ts";

export type SecretAddOptions = SourceOptions & { readonly ref: string; readonly repo: string };

/** `mooring secret-ref add REF`: takes the value from a hidden prompt or stdin and seals it into the checkout, to the recipients of the trust section
 *  that people signed; the checkout's own word on recipients counts only while nothing is released and it is the trust root itself. */
export async function secretAdd(options: SecretAddOptions, input: Input, prompt: Writable, out: Out, deps: Deps): Promise<number> {
  const parsed = secretRef.safeParse(options.ref.startsWith("secret://") ? options.ref : `secret://${options.ref}`);
  if (!parsed.success) throw new MooringError("USAGE", `secret-ref add ${options.ref}`, { why: "name it like team/openai" });
  const ref = parsed.data;
  const { section } = await verifiedTrust(options);
  const recipients = section.recipients ?? [];
  const value = await readValue(input, prompt, `value of ${ref} (hidden): `);
  const added = await secretRefAdd({ repoDir: options.repo, ref, value, recipients, now: deps.clock });
  out.write(
    `sealed ${ref} version ${added.version} to ${recipients.length} ${recipients.length === 1 ? "recipient" : "recipients"}; commit\n`,
  );
  for (const path of added.paths) out.write(`  ${path}\n`);
  return 0;
}

async function verifiedTrust(options: SecretAddOptions): Promise<Trust> {
  const pin = options.trustRoot ?? (await memoryOf(options.cache, options.source).read())?.trustRoot;
  if (pin === undefined)
    throw new MooringError("TRUST_ROOT_NEEDED", "secret-ref add", { why: "the recipients of a secret are read from verified trust only" });
  return (await releasedTrust({ ...options, trustRoot: pin })) ?? (await checkoutTrust(options.repo, pin));
}

/** Null before anything is released. */
async function releasedTrust(options: SecretAddOptions): Promise<Trust | null> {
  try {
    const fleet = await openFleet(options);
    const main = await demandOutcome(fleet, fleet.main);
    const standing = await standingOf(fleet, await fleet.branchFor(main.resolved.fleet), main);
    return standing.trusts[0]?.trust ?? null;
  } catch (err) {
    if (hasCode(err, "REPO_EMPTY")) return null;
    throw err;
  }
}

async function checkoutTrust(repo: string, pin: Digest): Promise<Trust> {
  const trust = trustOf((await outcomeOfFolder(repo)).resolved);
  if (trust.leaf === pin) return trust;
  throw new MooringError("TRUST_ROOT_UNPROVEN", `the checkout ${repo}`, { why: "its trust section is not the trust root" });
}
