import { canonBytes, digestOf, fromBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import type { AuditLog } from "#bridge/log/index.ts";
import { SODIUM_CHACHA } from "#bridge/memory.ts";
import { type Envelope, type FleetId, type IdentitySection, type MachineId, secretName, type TrustSection } from "#schemas/wire/index.ts";
import { bindingOf, sealEnvelope } from "#seal/envelope/index.ts";
import { readSecretFrame } from "#seal/file/index.ts";
import { pointOf } from "#seal/hpke/index.ts";
import { openAge } from "./age.ts";
import type { VaultKeys } from "./keys.ts";
import type { Wanted } from "./sections.ts";

/** Machines' clocks may be this far behind the vault's. */
export const SKEW_MS = 5 * 60_000;
/** What the bridge on a machine takes at most. */
const MAX_VALUE = 128 * 1024;

export type ResealContext = {
  readonly fleet: FleetId;
  readonly machine: MachineId;
  readonly identity: IdentitySection;
  readonly trust: TrustSection;
  readonly keys: VaultKeys;
  readonly log: AuditLog;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** age files by the digest the hub says they have. */
  readonly files: Readonly<Record<string, string>>;
};

/** The envelope of one proven grant: the age file is opened in locked memory, compared with what was proven, sealed to the machine. Both steps
 *  are in the vault's log before they count. Throws GRANT_EXPIRED, SECRET_FILE_*, AGE_*, POINT_INVALID, AUDIT_UNAVAILABLE. */
export async function reseal(ctx: ResealContext, wanted: Wanted, bindingSerial: number): Promise<Envelope> {
  const { machine, identity, keys, log } = ctx;
  const window = windowOf(ctx, wanted);
  const file = fileOf(ctx, wanted);
  const point = pointOf(identity.kx);
  await log.append({ op: "vault.open", outcome: "ok", ...about(machine, wanted) });
  const clear = await openAge(file, keys.identity);
  const envelope = await clear.reveal((bytes) => {
    const binding = bindingOf({ ...ctx, ...wanted, grantLeaf: wanted.leaf, bindingSerial, ...window });
    return sealEnvelope(binding, point, valueIn(bytes, wanted), keys.signer, SODIUM_CHACHA);
  });
  await log.append({ op: "vault.seal", outcome: "ok", ...about(machine, wanted), envelope: digestOf(canonBytes(envelope)) });
  return envelope;
}

/** What a log entry says of one grant. */
export function about(machine: MachineId, { grant, plugin, bundle, secret }: Wanted) {
  return { machine, ref: grant.grant.ref, version: secret.version, plugin, bundle, grant: grant.name };
}

/** From now (less skew) until the grant ends, at most as long as a release is good for; how fresh a machine has to be is the lease's matter. */
function windowOf({ now, trust }: ResealContext, { grant }: Wanted): { notBefore: Time; notAfter: Time } {
  const last = timeOf(now + trust.expiresSeconds * 1000);
  const { expires } = grant.grant;
  if (expires !== null && expires <= timeOf(now)) throw new MooringError("GRANT_EXPIRED", `grant ${grant.name} expired at ${expires}`);
  return { notBefore: timeOf(now - SKEW_MS), notAfter: expires !== null && expires < last ? expires : last };
}

function fileOf({ files }: ResealContext, { secret }: Wanted): Uint8Array {
  const base64 = Object.hasOwn(files, secret.file) ? files[secret.file] : undefined;
  if (base64 === undefined) throw new MooringError("SECRET_FILE_MISSING", `secret ${secret.name} version ${secret.version}`);
  const bytes = fromBase64(base64, "an age file");
  if (digestOf(bytes) !== secret.file) throw mismatch(secret.name, secret.version, "the file is not the one the release names");
  return bytes;
}

/** The value, a view, once the file says inside that it is this secret in this version. */
function valueIn(bytes: Uint8Array, { grant, secret }: Wanted): Uint8Array {
  const { head, value } = readSecretFrame(bytes);
  if (secretName(head.ref) !== secret.name || head.ref !== grant.grant.ref || head.version !== secret.version)
    throw mismatch(secret.name, secret.version, "inside, the file is another secret or version");
  if (value.length > MAX_VALUE) throw new MooringError("SECRET_TOO_LARGE", `secret ${secret.name} version ${secret.version}`);
  return value;
}

function mismatch(name: string, version: number, why: string): MooringError {
  return new MooringError("SECRET_FILE_MISMATCH", `secret ${name} version ${version}`, { why });
}
