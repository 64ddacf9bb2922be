import { execFileSync, spawnSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  type AuditLog,
  rawEd25519,
  ed25519Signer,
  folderReader,
  type LogHead,
  openLog,
  verifyLog,
  type VerifiedLog,
} from "#bridge/log/index.ts";
import { ed25519NoteKey } from "#proof/tlog/index.ts";

export const ORIGIN = "mooring/acme/mini-01/1";

export type Place = { readonly dir: string; readonly keyFile: string; readonly privateKey: KeyObject };

/** A folder for a log and a key made for it; gone after the test. */
export function place(t: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), "mlog-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(root, "key.pem"), privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  return { dir: join(root, "log"), keyFile: join(root, "key.pem"), privateKey };
}

export async function openAt(at: Place): Promise<AuditLog> {
  return await openLog({ dir: at.dir, origin: ORIGIN, signer: ed25519Signer(ORIGIN, at.privateKey), now: () => 0, bootId: "test" });
}

export async function verifyAt(at: Place, seen?: LogHead): Promise<VerifiedLog> {
  return await verifyLog(folderReader(at.dir), ORIGIN, ed25519NoteKey(ORIGIN, rawEd25519(createPublicKey(at.privateKey))), seen);
}

export type WriterRun = { readonly acked: readonly number[]; readonly ended: boolean; readonly failed: number };

/** Runs the writer to its end or its death. `ulimitBlocks` = largest file it may write, in 1 KiB blocks. */
export function runWriter(at: Place, count: number, group: number, env: Record<string, string> = {}, ulimitBlocks?: number): WriterRun {
  const script = join(import.meta.dirname, "writer.ts");
  const limit = ulimitBlocks === undefined ? "" : `ulimit -f ${ulimitBlocks}; `;
  const run = spawnSync(
    "bash",
    ["-c", `${limit}exec "$0" "$@"`, process.execPath, script, at.dir, at.keyFile, String(count), String(group)],
    {
      env: { PATH: process.env["PATH"], ...env },
      encoding: "utf8",
    },
  );
  const end = /^end (\d+)$/m.exec(run.stdout);
  if (end === null && run.signal !== "SIGKILL") throw new Error(`the writer broke: ${run.stderr}`);
  return { acked: [...run.stdout.matchAll(/^ack (\d+)$/gm)].map((m) => Number(m[1])), ended: end !== null, failed: Number(end?.[1] ?? 0) };
}

export function copyFolder(from: string, to: string): void {
  execFileSync("cp", ["-a", from, to]);
}
