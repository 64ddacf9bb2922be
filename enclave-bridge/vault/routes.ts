import { MooringError } from "#base/errors/index.ts";
import { type LogReader } from "#bridge/log/index.ts";
import { parseTilePath } from "#proof/tlog/index.ts";
import { bytes64, machineId, releaseProof, sealRequest, signedStatement } from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import type { Vault } from "./vault.ts";

export type Answer =
  | { readonly status: 200; readonly type: "application/json"; readonly body: unknown }
  | { readonly status: 200; readonly type: "application/octet-stream"; readonly body: Uint8Array };

export type Routes = { readonly vault: Vault; readonly readLog: LogReader; readonly checkpoint: () => Uint8Array };

const leaseRequest = z.strictObject({ machine: machineId, desired: bytes64, release: releaseProof });

/** What one request gets; null = no such route. `body` is null where none was sent. Throws VAULT_REQUEST_MALFORMED and what the vault throws. */
export async function answer(
  { vault, readLog, checkpoint }: Routes,
  method: string,
  path: string,
  body: Uint8Array | null,
): Promise<Answer | null> {
  switch (`${method} ${path}`) {
    case "GET /v1/info":
      return json(vault.info());
    case "POST /v1/seal":
      return json(await vault.seal(read(sealRequest, body)));
    case "POST /v1/lease":
      return json(await vault.lease(read(leaseRequest, body)));
    case "PUT /v1/statements":
      return json({ digest: await vault.addStatement(read(signedStatement, body)) });
    case "GET /v1/audit/checkpoint":
      return bytes(checkpoint());
    default:
      return method === "GET" && path.startsWith("/v1/audit/tile/") ? await tile(readLog, path.slice("/v1/audit/".length)) : null;
  }
}

/** Only names of tiles reach the disk. */
async function tile(readLog: LogReader, path: string): Promise<Answer | null> {
  parseTilePath(path);
  const found = await readLog(path);
  return found === null ? null : bytes(found);
}

function json(body: unknown): Answer {
  return { status: 200, type: "application/json", body };
}

function bytes(body: Uint8Array): Answer {
  return { status: 200, type: "application/octet-stream", body };
}

function read<T extends z.core.$ZodType>(schema: T, body: Uint8Array | null): z.output<T> {
  const parsed = z.safeParse(schema, parse(body));
  if (!parsed.success)
    throw new MooringError("VAULT_REQUEST_MALFORMED", "a request to the vault", {
      why: "a member of another form, or one too many",
      cause: parsed.error,
    });
  return parsed.data;
}

function parse(body: Uint8Array | null): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body ?? new Uint8Array(0)));
  } catch (cause) {
    throw new MooringError("VAULT_REQUEST_MALFORMED", "a request to the vault", { why: "its body is no JSON", cause });
  }
}
