import { MooringError } from "#base/errors/index.ts";
import { exitCodeOf, type Looked, lookAtCheckout, type ReviewOptions } from "../review/index.ts";
import type { Deps } from "../fleet/open.ts";
import type { Out } from "../io.ts";
import type { ReportFormat } from "./formats.ts";
import { render } from "./index.ts";
import type { RenderOptions } from "./options.ts";

export { wantsColor } from "./paint.ts";

/** `mooring plan` on a checkout, in one of the forms of render(). Gives the exit code of a plan. */
export async function printReview(
  options: ReviewOptions,
  form: { readonly format: ReportFormat } & Pick<RenderOptions, "width" | "color">,
  out: Out,
  deps: Pick<Deps, "clock">,
): Promise<number> {
  const looked = await lookAtCheckout(options, deps);
  const lineOf = form.format === "rdjson" || form.format === "table" ? await linesOf(looked) : undefined;
  out.write(render(looked.review, form.format, { ...form, ...(lineOf === undefined ? {} : { lineOf }) }));
  return exitCodeOf(looked.review);
}

/** Lines of the head's files that findings stand in; read now, asked later. */
export async function linesOf({ review, head }: Pick<Looked, "review" | "head">): Promise<NonNullable<RenderOptions["lineOf"]>> {
  const texts = new Map<string, readonly string[]>();
  for (const path of new Set(review.findings.map(({ file }) => file))) {
    const bytes = await readOrNull(head.files.get(path));
    if (bytes !== null) texts.set(path, Buffer.from(bytes).toString("utf8").split("\n"));
  }
  return (file, line) => texts.get(file)?.[line - 1] ?? null;
}

type File = { readonly read: () => Uint8Array | Promise<Uint8Array> };

/** A file that can't be read has its own finding. */
async function readOrNull(file: File | undefined): Promise<Uint8Array | null> {
  if (file === undefined) return null;
  try {
    return await file.read();
  } catch (err) {
    if (err instanceof MooringError) return null;
    throw err;
  }
}
