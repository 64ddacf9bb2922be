import { spawn } from "node:child_process";
import { MooringError } from "#base/errors/index.ts";
import { verifySshsig } from "#proof/sshsig/index.ts";
import type { TrustSection } from "#schemas/wire/index.ts";
import { publicHalf } from "./key.ts";

/** Who signs, and with what. */
export type SignerOptions = { readonly key: string; readonly as: string };

/** Somebody whose key the trust section names. `key` = "type base64"; `sign` gives an armored SSHSIG by ssh-keygen. */
export type Signer = { readonly principal: string; readonly key: string; sign(bytes: Uint8Array, namespace: string): Promise<string> };

/** The signer, once its key is one that a section of `trusts` names for this principal at `serial`: nobody is asked for a touch or a passphrase for
 *  a signature that would not count. Throws SIGNER_UNKNOWN, SIGNER_KEY_MISMATCH, SIGNER_KEY_UNREADABLE. */
export async function signerOf({ key, as }: SignerOptions, trusts: readonly TrustSection[], serial: number): Promise<Signer> {
  const own = trusts.flatMap((trust) => trust.keys[as] ?? []);
  if (own.length === 0) throw new MooringError("SIGNER_UNKNOWN", `nobody is called ${as} in the trust section`);
  const text = await publicHalf(key);
  const named = own.filter((item) => item.key === text);
  if (named.length === 0) throw new MooringError("SIGNER_KEY_MISMATCH", `${key} is not a key of ${as}`, { why: elsewhere(trusts, text) });
  if (!named.some((item) => serial >= item.from && (item.until === null || serial <= item.until)))
    throw new MooringError("SIGNER_KEY_MISMATCH", `${key} does not count for serial ${serial}`, {
      why: "its window in trust/allowed_signers",
    });
  if (!text.startsWith("sk-") && named.every((item) => item.touch === "required"))
    throw new MooringError("SIGNER_KEY_MISMATCH", `${key} is no hardware key`, { why: `the trust section asks ${as} for a touch` });
  return { principal: as, key: text, sign: (bytes, namespace) => sign(key, text, bytes, namespace) };
}

function elsewhere(trusts: readonly TrustSection[], text: string): string {
  const owner = trusts.flatMap((trust) => Object.entries(trust.keys)).find(([, keys]) => keys.some(({ key }) => key === text))?.[0];
  return owner === undefined ? "the trust section does not name this key at all" : `the trust section names it for ${owner}`;
}

async function sign(path: string, key: string, bytes: Uint8Array, namespace: string): Promise<string> {
  const armored = await keygen(["-q", "-Y", "sign", "-n", namespace, "-f", path], bytes);
  if (verifySshsig(armored, bytes, namespace)?.key === key) return armored;
  throw new MooringError("SIGNING_FAILED", `key ${path}`, { why: "ssh-keygen signed with another key" });
}

/** Output of ssh-keygen. It asks for a passphrase on the terminal itself; what it says (touch the key) goes to the person, not into an error. */
function keygen(args: readonly string[], input: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (why: string, cause?: unknown): void => reject(new MooringError("SIGNING_FAILED", "ssh-keygen -Y sign", { why, cause }));
    const child = spawn("ssh-keygen", args, { stdio: ["pipe", "pipe", process.stderr.isTTY ? "inherit" : "ignore"] });
    const parts: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => parts.push(part));
    child.stdin.on("error", () => undefined); // it may end before it has read all; its exit code says why
    child.once("error", (cause) => failed("it could not be started", cause));
    child.once("close", (code) => (code === 0 ? resolve(Buffer.concat(parts).toString("latin1")) : failed(`it ended with ${code}`)));
    child.stdin.end(input);
  });
}
