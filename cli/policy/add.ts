import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { nearest } from "#reconciler/desired/index.ts";
import { libraryPolicies } from "#reconciler/policy/library/index.ts";
import type { Out } from "../io.ts";

/** `mooring policy list`: the built-in policies, a line each. */
export async function policyList(out: Out): Promise<number> {
  const policies = await libraryPolicies();
  const width = Math.max(...policies.map(({ name }) => name.length));
  for (const { name, summary } of policies) out.write(`${name.padEnd(width)}  ${summary}\n`);
  return 0;
}

/** `mooring policy add`: copies built-in policies and their tests into a checkout. A file that is there and differs is left alone: throws USAGE before
 *  anything is written. */
export async function policyAdd(names: readonly string[], dir: string, out: Out): Promise<number> {
  const policies = await libraryPolicies();
  const files = names.flatMap((name) => {
    const found = policies.find((policy) => policy.name === name);
    if (found !== undefined) return Object.entries(found.files);
    const near = nearest(
      name,
      policies.map((policy) => policy.name),
    );
    const fix = near === null ? "`mooring policy list` names them" : `did you mean \`${near}\`?`;
    throw new MooringError("USAGE", `mooring policy add ${name}`, { why: "there is no built-in policy of this name", fix });
  });
  for (const [path, text] of files) {
    const there = await textAt(join(dir, path));
    if (there !== null && there !== text)
      throw new MooringError("USAGE", join(dir, path), { why: "a file is there and differs", fix: "move it away, or keep what you have" });
  }
  for (const [path, text] of files) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
    out.write(`${join(dir, path)}\n`);
  }
  out.write(`commit them; they judge every change after that. \`mooring policy test ${dir}\` runs their tests\n`);
  return 0;
}

async function textAt(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw err;
  }
}
