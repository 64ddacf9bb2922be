import type { MooringError } from "#base/errors/index.ts";
import { formatError } from "#base/errors/index.ts";
import { data } from "../report/github.ts";
import { markerOf } from "../report/index.ts";
import { fence } from "../report/markdown-text.ts";
import type { Posting } from "./posting.ts";

const MAX_DESCRIPTION = 140;

/** A review that could not be made, as what would have been posted: red, with what to do. Pure. */
export function failureOf(err: MooringError): {
  readonly posting: Posting;
  readonly annotations: string;
  readonly summary: string;
  readonly exitCode: 1;
} {
  const text = formatError(err);
  const marker = markerOf("");
  const page = `${marker}\n### mooring plan\n\n❌ **mooring/plan** could not judge this change\n\n${fence(text.split("\n"))}\n`;
  const description = `${err.code}: this change could not be judged`.slice(0, MAX_DESCRIPTION);
  return {
    posting: {
      v: 1,
      marker,
      comment: page,
      statuses: [
        { context: "mooring/plan", state: "failure", description },
        { context: "mooring/roles", state: "pending", description: "errors come first" },
      ],
    },
    annotations: `::error title=${err.code}::${data(text)}\n`,
    summary: page,
    exitCode: 1,
  };
}
