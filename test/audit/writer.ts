/** A process that appends `count` entries in groups and prints each index once it is acknowledged. argv: dir, key file (PKCS #8 PEM), count, group. */
import { createPrivateKey } from "node:crypto";
import { readFileSync, writeSync } from "node:fs";
import { ed25519Signer, openLog } from "#bridge/log/index.ts";
import { ORIGIN } from "./support.ts";

const [dir = "", keyFile = "", count = "0", group = "1"] = process.argv.slice(2);
const signer = ed25519Signer(ORIGIN, createPrivateKey(readFileSync(keyFile)));
const log = await openLog({ dir, origin: ORIGIN, signer, now: () => 0, bootId: "test" });
let failed = 0;
for (let at = 0; at < Number(count); at += Number(group)) {
  const some = Array.from({ length: Math.min(Number(group), Number(count) - at) }, () => append());
  await Promise.all(some);
}
await log.close();
writeSync(1, `end ${failed}\n`);

async function append(): Promise<void> {
  try {
    const { index } = await log.append({ op: "secret.open", outcome: "ok", ref: "secret://team/openai" });
    writeSync(1, `ack ${index}\n`);
  } catch (err) {
    if ((err as { code?: string }).code !== "AUDIT_UNAVAILABLE") throw err;
    failed += 1;
  }
}
