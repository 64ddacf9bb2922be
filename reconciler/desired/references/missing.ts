import { about } from "../about.ts";
import type { AnyLoaded } from "../document.ts";
import type { Finding } from "../finding.ts";
import { nearest } from "../suggest.ts";
import type { Path } from "../yaml.ts";

/** A name that nothing has, with the one that was perhaps meant. */
export function missing(doc: AnyLoaded, path: Path, what: string, name: string, names: readonly string[]): Finding {
  const suggestion = nearest(name, names);
  return about(doc, path, "FLEET_REFERENCE_MISSING", `there is no ${what} of this name`, {
    rule: `${what.split(" ")[0]}-unknown`,
    fix: suggestion === null ? undefined : `did you mean \`${suggestion}\`?`,
  });
}
