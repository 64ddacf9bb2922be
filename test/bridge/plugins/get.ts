/** A well-behaved plugin: asks for the refs of its arguments and prints a digest of each value, or the code. With WATCH it then waits for a
 *  revocation and prints that. */
import { createHash } from "node:crypto";
import { connect, SecretError } from "../../../sdk/src/index.ts";

const refs = process.argv.slice(2).filter((arg) => arg.startsWith("secret:"));
const mooring = await connect();
console.log(`hello ${mooring.plugin} ${mooring.refs.join(",")}`);
for (const ref of refs) {
  try {
    const text = await mooring.withSecret(ref, (bytes) => createHash("sha256").update(bytes).digest("hex"), {
      timeoutMs: process.argv.includes("PATIENT") ? 20_000 : 400,
    });
    console.log(`got ${text}`);
  } catch (err) {
    console.log(err instanceof SecretError ? `code ${err.code}` : `odd ${String(err)}`);
  }
}
if (process.argv.includes("WATCH")) {
  const keep = setInterval(() => undefined, 1_000);
  mooring.onRevoked((ref) => {
    console.log(`revoked ${ref}`);
    void mooring
      .withSecret(ref, () => undefined, { timeoutMs: 400 })
      .catch((err: unknown) => console.log(`code ${(err as SecretError).code}`))
      .finally(() => {
        clearInterval(keep);
        mooring.close();
      });
  });
} else mooring.close();
