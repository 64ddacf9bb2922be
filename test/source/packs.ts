import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { deflateSync } from "node:zlib";
import { writeHead } from "#reconciler/source/pack/entry.ts";
import { GIT_ENV } from "#test/support/repo.ts";

/** What git prints, with `input` on its standard input; null when it refuses. */
export async function gitBytes(gitdir: string, args: readonly string[], input: Uint8Array | string): Promise<Buffer | null> {
  const child = spawn("git", ["--git-dir", gitdir, ...args], { env: GIT_ENV, stdio: ["pipe", "pipe", "ignore"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on("error", () => undefined); // git may refuse before it read everything
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return code === 0 ? Buffer.concat(chunks) : null;
}

/** A pack that git itself makes of `revisions`. */
export async function realPack(gitdir: string, revisions: readonly string[], flags: readonly string[]): Promise<Buffer> {
  const pack = await gitBytes(gitdir, ["pack-objects", "--revs", "--stdout", "-q", ...flags], `${revisions.join("\n")}\n`);
  if (pack === null) throw new Error("git made no pack");
  return pack;
}

/** `body` with a head that names `count` objects and the checksum that fits. */
export function packWith(count: number, body: Uint8Array): Buffer {
  const head = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  head.writeUInt32BE(count, 8);
  return signed(Buffer.concat([head, body]));
}

/** Puts the right checksum behind bytes that had none, or a wrong one. */
export function signed(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, createHash("sha1").update(bytes).digest()]);
}

export function wholeEntry(type: 1 | 2 | 3 | 4, content: Uint8Array, claimed = content.length): Buffer {
  return Buffer.concat([writeHead(type, claimed), deflateSync(content)]);
}

/** A delta upon the object `base`, by its id. */
export function refEntry(base: string, delta: Uint8Array): Buffer {
  const head = writeHead(1, delta.length);
  head[0] = ((head[0] ?? 0) & 0x8f) | 0x70;
  return Buffer.concat([head, Buffer.from(base, "hex"), deflateSync(delta)]);
}

/** A delta upon the entry that starts `back` bytes earlier. */
export function offsetEntry(back: number, delta: Uint8Array): Buffer {
  const head = writeHead(1, delta.length);
  head[0] = ((head[0] ?? 0) & 0x8f) | 0x60;
  const digits = [back % 128];
  for (let rest = Math.floor(back / 128) - 1; rest >= 0; rest = Math.floor(rest / 128) - 1) digits.unshift((rest % 128) | 0x80);
  return Buffer.concat([head, Buffer.from(digits), deflateSync(delta)]);
}

/** Numbers as a delta writes them. */
export function deltaSize(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...deltaSize(Math.floor(value / 128))];
}
