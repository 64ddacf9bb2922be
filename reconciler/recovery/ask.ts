import { randomBytes } from "node:crypto";
import { MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { verifyAttestation } from "#proof/attest/index.ts";
import type { Attestation, MachineId } from "#schemas/wire/index.ts";
import { agentClient } from "../agents/index.ts";
import type { MachineLink, Resolved } from "../desired/index.ts";
import { connectAny, type Dial } from "../machine/index.ts";

/** What the machines of a revision said. `silent` = no proven answer, with the reason's code. */
export type Answers = {
  readonly attested: readonly Attestation[];
  readonly silent: readonly { readonly machine: MachineId; readonly code: string }[];
};

const AT_ONCE = 64;

/** Asks every machine of `resolved` what it stands on, by its pinned host key, and keeps what its released identity key signed. Changes nothing there and
 *  claims no epoch. Never throws for a machine that does not answer. */
export async function askMachines(resolved: Resolved, dial: Dial, answerMs: number, signal: AbortSignal): Promise<Answers> {
  const waiting = [...resolved.hubSettings.links];
  const attested: Attestation[] = [];
  const silent: { machine: MachineId; code: string }[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [machine, where] = next;
      try {
        const ask = (stop: AbortSignal): Promise<Attestation> => attestOf(resolved, machine, where, dial, stop);
        attested.push(await withDeadline(`${machine}: attestation`, answerMs, ask, signal));
      } catch (err) {
        if (!(err instanceof MooringError)) throw err;
        silent.push({ machine, code: err.code });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, worker));
  return { attested, silent };
}

async function attestOf(resolved: Resolved, machine: MachineId, where: MachineLink, dial: Dial, signal: AbortSignal): Promise<Attestation> {
  const identity = resolved.machines.get(machine)?.sections.find((section) => section.kind === "identity");
  if (identity === undefined) throw new MooringError("MACHINE_UNKNOWN", machine);
  const client = agentClient(machine, await connectAny(machine, where, dial, signal), signal);
  try {
    const nonce = randomBytes(32).toString("base64");
    return verifyAttestation(await client.attest(nonce), { fleet: resolved.fleet, machine, nonce, key: identity.sig });
  } finally {
    client.close();
  }
}
