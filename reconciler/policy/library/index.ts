import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseBlob } from "../../desired/index.ts";

/** A built-in policy: two files to copy into a fleet repo, where they are reviewed, edited and judged by like any other. */
export type LibraryPolicy = {
  readonly name: string;
  readonly summary: string;
  /** Text by path in the fleet repo: the policy and its tests. */
  readonly files: Readonly<Record<string, string>>;
};

const FOLDER = join(import.meta.dirname, "policies");

/** All built-in policies by name. docs/policies.md says more about each. */
export async function libraryPolicies(): Promise<readonly LibraryPolicy[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith(".yaml")).sort();
  return Promise.all(names.map(read));
}

async function read(name: string): Promise<LibraryPolicy> {
  const [policy, tests] = await Promise.all([name, join("tests", name)].map((path) => readFile(join(FOLDER, path), "utf8")));
  const doc = parseBlob(Buffer.from(policy ?? "")).doc;
  return {
    name: name.slice(0, -".yaml".length),
    summary: doc?.metadata.annotations["summary"] ?? "",
    files: { [`policies/${name}`]: policy ?? "", [`policies/tests/${name}`]: tests ?? "" },
  };
}
