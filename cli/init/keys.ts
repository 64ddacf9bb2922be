import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "#base/errors/index.ts";
import { parseKeyText } from "#proof/sshsig/index.ts";

/** A key that somebody could sign with. */
export type Candidate = {
  /** "type base64". */
  readonly key: string;
  readonly comment: string;
  /** A .pub file, or null where only ssh-agent has it. */
  readonly file: string | null;
  readonly inAgent: boolean;
};

/** Keys in ssh-agent and `folder`/*.pub that can sign releases: hardware keys first, then Ed25519, then the rest; each once. */
export async function candidates(folder: string, env: NodeJS.ProcessEnv): Promise<readonly Candidate[]> {
  const found = new Map<string, Candidate>();
  for (const line of await agentLines(env)) add(found, line, null, true);
  for (const name of (await namesIn(folder)).filter((item) => item.endsWith(".pub")).sort()) {
    const file = join(folder, name);
    const text = await readFile(file, "utf8").catch(() => ""); // a key we may not read is none that we can offer
    add(found, text, file, false);
  }
  return [...found.values()].toSorted((a, b) => rank(a.key) - rank(b.key));
}

/** Whether a signature needs a touch of hardware. */
export function isHardware(key: string): boolean {
  return key.startsWith("sk-");
}

function add(found: Map<string, Candidate>, line: string, file: string | null, inAgent: boolean): void {
  const [type = "", base64 = "", ...words] = line.trim().split(/\s+/);
  const key = readKey(`${type} ${base64}`);
  if (key === null) return;
  const before = found.get(key);
  const comment = words.join(" ").replaceAll(/[^\x20-\x7e]/g, "?");
  found.set(key, { key, comment: before?.comment ?? comment, file: before?.file ?? file, inAgent: inAgent || before?.inAgent === true });
}

function readKey(text: string): string | null {
  try {
    return parseKeyText(text).text;
  } catch (err) {
    if (hasCode(err, "SSH_KEY_MALFORMED")) return null; // a certificate, a comment, an old type
    throw err;
  }
}

function rank(key: string): number {
  return isHardware(key) ? 0 : key.startsWith("ssh-ed25519 ") ? 1 : 2;
}

function agentLines(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  if ((env["SSH_AUTH_SOCK"] ?? "") === "") return Promise.resolve([]);
  return new Promise((resolve) => {
    execFile("ssh-add", ["-L"], { env, timeout: 5_000 }, (err, stdout) => resolve(err === null ? stdout.split("\n") : []));
  });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []); // no ~/.ssh: no keys there
}
