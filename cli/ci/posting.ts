import { MooringError } from "#base/errors/index.ts";
import * as z from "zod/mini";

const posting = z.object({
  v: z.literal(1),
  marker: z.string().check(z.regex(/^<!-- mooring-plan:[\w.-]* -->$/)),
  comment: z.string().check(z.maxLength(65_536)),
  statuses: z
    .array(
      z.object({
        context: z.enum(["mooring/plan", "mooring/roles"]),
        state: z.enum(["success", "failure", "pending"]),
        description: z.string().check(z.maxLength(140)),
      }),
    )
    .check(z.maxLength(2)),
});

/** What `ci plan` leaves for `ci post`: the first reads the change and holds no token, the second holds the token and reads only this. */
export type Posting = z.output<typeof posting>;

/** Throws CI_MISCONFIGURED for another shape, and where the comment is not under its marker. Pure. */
export function postingOf(text: string): Posting {
  try {
    const result = z.parse(posting, JSON.parse(text));
    if (result.comment.startsWith(result.marker)) return result;
  } catch (cause) {
    throw new MooringError("CI_MISCONFIGURED", "posting.json", { why: "it is not as `mooring ci plan` writes it", cause });
  }
  throw new MooringError("CI_MISCONFIGURED", "posting.json", { why: "its comment does not begin with the marker" });
}
