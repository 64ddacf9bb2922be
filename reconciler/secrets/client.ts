import { MooringError } from "#base/errors/index.ts";
import {
  type Bytes64,
  digest,
  type MachineId,
  type ReleaseProof,
  type SealAnswer,
  type SealRequest,
  type SignedLease,
  type SignedStatement,
  sealAnswer,
  signedLease,
  type VaultInfo,
  vaultInfo,
} from "#schemas/wire/index.ts";
import type { Digest } from "#base/canonical/index.ts";
import * as z from "zod/mini";
import { call, malformed, parse } from "./http.ts";

export type VaultClientOptions = {
  readonly socket: string;
  /** The hub's own uid; the vault's must be another, since the same uid reads the other's memory. */
  readonly uid: number;
  /** The explicit opt-in to run both under one uid. */
  readonly insecureOneUid: boolean;
};

export type LeaseRequest = { readonly machine: MachineId; readonly desired: Bytes64; readonly release: ReleaseProof };

/** The hub main's only way to secrets: sealed envelopes come out of it, never cleartext. */
export type VaultClient = {
  /** Who the vault is; throws VAULT_NOT_ISOLATED when it runs as the hub itself and nobody opted in. */
  info(signal?: AbortSignal): Promise<VaultInfo>;
  /** Envelopes for the grants of one machine, with the reasons for those it has none for, and a lease. The vault verifies all by itself. */
  seal(request: SealRequest, signal?: AbortSignal): Promise<SealAnswer>;
  lease(request: LeaseRequest, signal?: AbortSignal): Promise<SignedLease>;
  /** Hands a revocation over; gives its digest. Sending it again is harmless. */
  addStatement(signed: SignedStatement, signal?: AbortSignal): Promise<Digest>;
  /** `checkpoint` or `tile/…` of the vault's audit log. */
  audit(path: string, signal?: AbortSignal): Promise<Uint8Array>;
};

const statementAnswer = z.object({ digest });

/** Asks for isolation before the first thing of consequence, once. */
export function vaultClient({ socket, uid, insecureOneUid }: VaultClientOptions): VaultClient {
  const info = async (signal?: AbortSignal): Promise<VaultInfo> => {
    const found = read(vaultInfo, await call({ socket, method: "GET", path: "/v1/info", ...only(signal) }));
    if (found.uid === uid && !insecureOneUid)
      throw new MooringError("VAULT_NOT_ISOLATED", `vault at ${socket} runs as uid ${uid}, like the hub`);
    return found;
  };
  let isolated = false;
  const change = async (method: "POST" | "PUT", path: string, body: unknown, signal?: AbortSignal): Promise<Buffer> => {
    if (!isolated) await info(signal);
    isolated = true;
    return await call({ socket, method, path, body, ...only(signal) });
  };
  return {
    info,
    seal: async (request, signal) => read(sealAnswer, await change("POST", "/v1/seal", request, signal)),
    lease: async (request, signal) => read(signedLease, await change("POST", "/v1/lease", request, signal)),
    addStatement: async (signed, signal) => read(statementAnswer, await change("PUT", "/v1/statements", signed, signal)).digest,
    audit: (path, signal) => call({ socket, method: "GET", path: `/v1/audit/${path}`, ...only(signal) }),
  };
}

function read<T extends z.core.$ZodType>(schema: T, bytes: Buffer): z.output<T> {
  const parsed = z.safeParse(schema, parse(bytes));
  if (!parsed.success) throw malformed("a member of another form");
  return parsed.data;
}

function only(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
