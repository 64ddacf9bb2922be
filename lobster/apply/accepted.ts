import { type Digest, digestBytes, fromBase64, digestOf, canonBytes } from "#base/canonical/index.ts";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { asTime, type Time } from "#base/time/index.ts";
import { acceptRelease, type Accepted, type Stored } from "#proof/release/index.ts";
import { indexOf, machineRoot } from "#proof/root/index.ts";
import { type ApplyRequest, applyRequest, type Desired, digest, type Pins, time } from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import { checkSections } from "./sections.ts";

/** The newest release this machine took, with the request that brought it. */
export type AcceptedRelease = {
  readonly id: string;
  readonly request: ApplyRequest;
  readonly at: Time;
  readonly stored: Stored;
  readonly desired: Desired;
  readonly head: Accepted["head"];
  readonly trust: Accepted["trust"];
  readonly root: Digest;
  /** DELETE was called before the switch: the release stays accepted, its generation is not made. */
  readonly isCancelled: boolean;
};

export type AcceptedBook = {
  readonly current: () => AcceptedRelease | null;
  /** Proves `request` and stores what it proves durably before it resolves. Throws what `acceptRelease` throws, ROOT_MISMATCH when `root` is not the
   *  computed one. `floor` is the machine's time floor. */
  readonly take: (request: ApplyRequest, floor: Time) => Promise<AcceptedRelease>;
  readonly cancel: () => Promise<void>;
};

const file = z.strictObject({
  v: z.literal(1),
  at: time,
  isCancelled: z.boolean(),
  request: applyRequest,
  stored: z.unknown(),
  sum: digest,
});

/** SHA-256 of the canonical body, 64 hex digits: the id of an apply. */
export function applyId(request: ApplyRequest): string {
  return Buffer.from(digestBytes(digestOf(canonBytes(request)))).toString("hex");
}

/** Opens the book at `path`; the release in it is proven again from its bytes before anything is done with it. Throws STATE_BROKEN. */
export async function openAcceptedBook(path: string, pins: Pins): Promise<AcceptedBook> {
  const bytes = await readIfThere(path);
  let current = bytes === null ? null : reprove(bytes, pins);
  const write = (next: AcceptedRelease): Promise<void> => {
    const { at, isCancelled, request, stored } = next;
    const body = { v: 1, at, isCancelled, request, stored };
    return writeDurable(path, JSON.stringify({ ...body, sum: digestOf(canonBytes(body)) }));
  };
  return {
    current: () => current,
    take: async (request, floor) => {
      const next = prove(request, pins, current?.stored ?? null, floor);
      await write(next);
      current = next;
      return next;
    },
    cancel: async () => {
      if (current === null) return;
      const next = { ...current, isCancelled: true };
      await write(next);
      current = next;
    },
  };
}

function prove(request: ApplyRequest, pins: Pins, stored: Stored | null, now: Time): AcceptedRelease {
  const { fleet, machine } = pins;
  const desired = fromBase64(request.desired, "desired");
  const accepted = acceptRelease({ now, fleet, machine, stored, pins, desired, proof: request.release });
  const root = machineRoot(fleet, machine, indexOf(accepted.desired.sections));
  if (root !== request.root)
    throw new MooringError("ROOT_MISMATCH", `${machine}: the request names another root than its desired state has`);
  checkIncarnation(accepted.desired, pins);
  checkSections(accepted.desired);
  return {
    id: applyId(request),
    request,
    at: now,
    stored: accepted.after,
    desired: accepted.desired,
    head: accepted.head,
    trust: accepted.trust,
    root,
    isCancelled: false,
  };
}

/** A release for an earlier life of this machine names keys that are gone. */
function checkIncarnation(desired: Desired, pins: Pins): void {
  const identity = desired.sections.find((section) => section.kind === "identity");
  if (identity?.incarnation === pins.incarnation) return;
  throw new MooringError("INCARNATION_OTHER", `${pins.machine}: the release is for incarnation ${identity?.incarnation ?? "none"}`, {
    have: pins.incarnation,
  });
}

function reprove(bytes: Uint8Array, pins: Pins): AcceptedRelease {
  try {
    const { sum, ...body } = z.parse(file, JSON.parse(new TextDecoder().decode(bytes)));
    if (digestOf(canonBytes(body)) !== sum) throw new MooringError("STATE_BROKEN", "the accepted release: its sum is another");
    const again = prove(body.request, pins, body.stored as Stored, asTime(body.at, "accepted at"));
    return { ...again, isCancelled: body.isCancelled };
  } catch (cause) {
    throw new MooringError("STATE_BROKEN", "the accepted release in state/ is not proven by its own bytes", { cause });
  }
}
