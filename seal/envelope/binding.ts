import { type Digest, digestOf } from "#base/canonical/index.ts";
import type { Time } from "#base/time/index.ts";
import type { Binding, FleetId, GrantSection, IdentitySection, MachineId, SecretSection } from "#schemas/wire/index.ts";

export type BindingParts = {
  readonly fleet: FleetId;
  readonly machine: MachineId;
  readonly identity: IdentitySection;
  /** The proven grant and its leaf. */
  readonly grant: GrantSection;
  readonly grantLeaf: Digest;
  /** Bundle of the plugin section the grant names; null for the gateway. */
  readonly bundle: Digest | null;
  readonly secret: SecretSection;
  readonly bindingSerial: number;
  readonly notBefore: Time;
  readonly notAfter: Time;
};

/** What an envelope is good for, composed from proven sections; its canonical bytes are the additional data. Pure. */
export function bindingOf(parts: BindingParts): Binding {
  return {
    t: "mooring/envelope/v1",
    fleet: parts.fleet,
    machine: parts.machine,
    key: digestOf(parts.identity.kx),
    grant: parts.grant.grant,
    grantDigest: parts.grantLeaf,
    bundle: parts.bundle,
    version: parts.secret.version,
    bindingSerial: parts.bindingSerial,
    notBefore: parts.notBefore,
    notAfter: parts.notAfter,
  };
}
