/** A careless plugin: prints its secret in many ways. */
import { connect } from "../../../sdk/src/index.ts";

const mooring = await connect();
await mooring.withSecret("secret://team/imap", async (bytes) => {
  const text = Buffer.from(bytes).toString();
  process.stdout.write(`plain ${text} end\n`);
  process.stdout.write(`split ${text.slice(0, 5)}`);
  await new Promise((resolve) => setTimeout(resolve, 60));
  process.stdout.write(`${text.slice(5)} end\n`);
  process.stdout.write(`${"x".repeat(16_380)}${text}${"y".repeat(30)}\n`);
  process.stderr.write(`twice ${text}${text}\n`);
  process.stdout.write("unfinished");
});
mooring.close();
