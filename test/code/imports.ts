import { posix } from "node:path";
import { textOf } from "./files.ts";

export type Import = {
  readonly from: string;
  readonly spec: string;
  readonly isType: boolean /** repository path of our own file, else null */;
  readonly to: string | null;
};

// Static and re-exporting forms, bare imports, and import("…") also in types.
const FORMS =
  /(?:^|\n)\s*(import|export)(\s+type)?\b[^;'"]*?\bfrom\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\b(?:import|require)\(\s*["']([^"']+)["']\s*\)/g;

/** Every import of a file. Pure text work: no file of ours writes an import that these forms miss (`tsc` and Biome hold the style). */
export function importsOf(path: string, text: string = textOf(path)): readonly Import[] {
  return [...text.matchAll(FORMS)].map((match) => {
    const spec = match[3] ?? match[4] ?? match[5] ?? "";
    return { from: path, spec, isType: match[2] !== undefined, to: targetOf(path, spec) };
  });
}

function targetOf(path: string, spec: string): string | null {
  if (spec.startsWith("#bridge/")) return spec.replace("#bridge/", "enclave-bridge/");
  if (spec.startsWith("#")) return spec.slice(1);
  if (spec.startsWith(".")) return posix.normalize(posix.join(posix.dirname(path), spec));
  return null;
}

/** Package name of a bare import, with the path inside it where that matters (`zod/mini`); null for our files and Node's. */
export function packageOf({ spec, to }: Import): string | null {
  if (to !== null || spec.startsWith("node:")) return null;
  if (spec.startsWith("zod/")) return spec;
  return spec
    .split("/")
    .slice(0, spec.startsWith("@") ? 2 : 1)
    .join("/");
}
