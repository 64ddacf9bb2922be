import { readFile } from "node:fs/promises";
import { MooringError } from "#base/errors/index.ts";

const MIN_LENGTH = 16; // what a person types is shorter, and can be guessed from one recorded delivery

/** The secrets of a file, one a line; empty lines and lines that start with # are left out. WEBHOOK_SECRET_UNUSABLE when it can't be read, has none, or one
 *  is too short to hold. */
export async function readSecrets(path: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new MooringError("WEBHOOK_SECRET_UNUSABLE", path, { why: "the file can't be read", cause });
  }
  const secrets = text.split("\n").flatMap((line) => (line.trim() === "" || line.startsWith("#") ? [] : [line.trim()]));
  if (secrets.length === 0) throw new MooringError("WEBHOOK_SECRET_UNUSABLE", path, { why: "it holds no secret" });
  if (secrets.some((secret) => secret.length < MIN_LENGTH))
    throw new MooringError("WEBHOOK_SECRET_UNUSABLE", path, { why: `a secret in it is shorter than ${MIN_LENGTH} characters` });
  return secrets;
}
