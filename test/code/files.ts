import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** Folders whose code is no part of the product. */
const BESIDE = /^(test|scripts|bench|examples)\//;

/** Every file of the work tree that git has or would take, by path. */
export function repoFiles(): readonly string[] {
  const out = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const gone = execFileSync("git", ["ls-files", "-z", "--deleted"], { cwd: ROOT, encoding: "utf8" }).split("\0");
  return out.split("\0").filter((path) => path !== "" && !gone.includes(path));
}

/** TypeScript that ships: neither tests nor what stands beside the product. */
export function productFiles(): readonly string[] {
  return repoFiles().filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !BESIDE.test(path));
}

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Lines outside and inside the fences of a Markdown text: prose first, then each block with its language. */
export function markdown(text: string): {
  readonly prose: string;
  readonly blocks: readonly { readonly lang: string; readonly body: string }[];
} {
  const blocks: { lang: string; body: string }[] = [];
  const prose = text.replaceAll(/^```(\S*)[^\n]*\n([\s\S]*?)^```\s*$/gm, (_all, lang: string, body: string) => {
    blocks.push({ lang, body });
    return "";
  });
  return { prose, blocks };
}
