/** What `mooring plan --output` takes. Kept apart: the command line needs the names alone. */
export const REPORT_FORMATS = ["table", "markdown", "github", "sarif", "json", "rdjson", "gitlab"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export function isFormat(text: string): text is ReportFormat {
  return (REPORT_FORMATS as readonly string[]).includes(text);
}
