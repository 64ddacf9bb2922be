/** Writes docs/errors.md from the catalogue; a test fails when they differ. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CATALOG, type CatalogEntry, type Disposition } from "#base/errors/index.ts";

const MEANING: Readonly<Record<Disposition, string>> = {
  retry: "it backs off and runs again",
  wait: "it runs again when what it waits for arrives",
  stalled: "a person must change something first",
  refused: "a safety check said no and nothing was changed",
};

/** The page: what the dispositions mean, then every code by name. Pure. */
export function errorsPage(): string {
  const rows = Object.entries(CATALOG as Readonly<Record<string, CatalogEntry>>).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    "# Error codes",
    "",
    "Every error says a code, what and where, why, and how to fix it. Made by `npm run errors`; do not edit.",
    "",
    "The disposition says what the hub's queue does next:",
    ...Object.entries(MEANING).map(([name, meaning]) => `- \`${name}\`: ${meaning}.`),
    "",
    "| code | disposition | what to do |",
    "|---|---|---|",
    ...rows.map(([code, { disposition, fix }]) => `| ${code} | ${disposition} | ${fix.replaceAll("|", "\\|").replaceAll("<", "&lt;")} |`),
    "",
  ].join("\n");
}

export const ERRORS_PAGE = join(import.meta.dirname, "../docs/errors.md");

/** The page as it lies in docs/. */
export function storedErrorsPage(): string {
  return readFileSync(ERRORS_PAGE, "utf8");
}

if (import.meta.main) writeFileSync(ERRORS_PAGE, errorsPage());
