import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { armor, Encrypter } from "age-encryption";
import { digestOf } from "#base/canonical/index.ts";
import { isErrno, makeFolder, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Clock, timeOf } from "#base/time/index.ts";
import { type SecretRef, secretName } from "#schemas/wire/index.ts";
import { secretFrame } from "#seal/file/index.ts";
import { pointOf, unbech32 } from "#seal/hpke/index.ts";
import { nextVersion, withVersion } from "./document.ts";

export type SecretRefAdd = {
  /** The checkout of the fleet repo. */
  readonly repoDir: string;
  readonly ref: SecretRef;
  /** From `readValue`; zeroed here, whatever happens. */
  readonly value: Buffer;
  /** age recipients of a *verified* trust section: the vault's and the escrow's. */
  readonly recipients: readonly string[];
  readonly now: Clock;
};

export type AddedSecret = {
  readonly ref: SecretRef;
  readonly version: number /** Changed files, from the repo's root. */;
  readonly paths: readonly string[];
};

/** Seals a value on the spot as the next version of a secret and makes it the current one: `secrets/<name>.v<N>.age` and the Secret document.
 *  Cleartext never leaves this process; age-encryption's own copies on the heap are beyond our reach until it ends. Nothing is committed. Throws
 *  RECIPIENT_MALFORMED, NOT_YET for post-quantum recipients, FLEET_INVALID. */
export async function secretRefAdd({ repoDir, ref, value, recipients, now }: SecretRefAdd): Promise<AddedSecret> {
  try {
    checkRecipients(recipients);
    const name = secretName(ref);
    const document = `secrets/${name}.yaml`;
    const text = await readText(join(repoDir, document));
    const version = nextVersion(text, name, document);
    const created = timeOf(now());
    const file = `secrets/${name}.v${version}.age`;
    const sealed = await seal(recipients, secretFrame({ ref, version, created }, value));
    const added = { version, file: file.slice(file.lastIndexOf("/") + 1), digest: digestOf(sealed), created };
    const after = withVersion(text, name, document, added);
    await makeFolder(join(repoDir, file.slice(0, file.lastIndexOf("/"))), 0o755);
    await writeDurable(join(repoDir, file), sealed, 0o644); // first: a document never names a file that is not there
    await writeDurable(join(repoDir, document), after, 0o644);
    return { ref, version, paths: [file, document] };
  } finally {
    value.fill(0);
  }
}

/** Armored age file; zeroes `frame`. */
async function seal(recipients: readonly string[], frame: Uint8Array): Promise<Uint8Array> {
  try {
    const encrypter = new Encrypter();
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    return Buffer.from(armor.encode(await encrypter.encrypt(frame)));
  } finally {
    frame.fill(0);
  }
}

/** Before anything is sealed: each is a key we know the kind of. age-encryption would mix post-quantum and classical ones (T6). */
function checkRecipients(recipients: readonly string[]): void {
  if (recipients.length === 0)
    throw new MooringError("RECIPIENT_MALFORMED", "no age recipient", {
      why: "the trust section names none",
      fix: "add the vault's recipient to the trust of the fleet and release it",
    });
  for (const recipient of recipients) {
    const { hrp, bytes } = unbech32(recipient);
    if (hrp === "age1tag") pointOf(recipient);
    else if (hrp === "age1pq" || hrp === "age1tagpq")
      throw new MooringError("NOT_YET", `post-quantum recipient ${recipient.slice(0, 20)}…`);
    else if (hrp !== "age" || bytes.length !== 32)
      throw new MooringError("RECIPIENT_MALFORMED", `recipient ${recipient.slice(0, 20)}…`, { why: "neither age1… nor age1tag1…" });
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw err;
  }
}
