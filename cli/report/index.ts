import type { Review } from "../review/index.ts";
import type { ReportFormat } from "./formats.ts";
import { renderGithub } from "./github.ts";
import { renderGitlab } from "./gitlab.ts";
import { renderJson } from "./json.ts";
import { renderMarkdown } from "./markdown.ts";
import type { RenderOptions } from "./options.ts";
import { renderRdjson } from "./rdjson.ts";
import { renderSarif } from "./sarif.ts";
import { renderTable } from "./table.ts";

export { isFormat, REPORT_FORMATS, type ReportFormat } from "./formats.ts";
export { markerOf, MAX_COMMENT, MAX_SUMMARY } from "./markdown.ts";
export type { RenderOptions } from "./options.ts";

/** A review as text in one of the forms that people and programs read. Pure: equal reviews give equal bytes. Ends with a line break. */
export function render(review: Review, format: ReportFormat, options: RenderOptions = {}): string {
  switch (format) {
    case "table":
      return renderTable(review, options);
    case "markdown":
      return renderMarkdown(review, options);
    case "github":
      return renderGithub(review);
    case "sarif":
      return renderSarif(review);
    case "json":
      return renderJson(review);
    case "rdjson":
      return renderRdjson(review, options);
    case "gitlab":
      return renderGitlab(review);
    default:
      return format satisfies never;
  }
}
