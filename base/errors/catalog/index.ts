import { AGENT } from "./agent.ts";
import { BASE } from "./base.ts";
import { BUNDLE } from "./bundle.ts";
import { CI } from "./ci.ts";
import { CLI } from "./cli.ts";
import { FLEET } from "./fleet.ts";
import { HUB } from "./hub.ts";
import { POLICY } from "./policy.ts";
import { PROOF } from "./proof.ts";
import { SECRETS } from "./secrets.ts";
import { SIGNING } from "./signing.ts";
import { SOURCE } from "./source.ts";
import { SSH } from "./ssh.ts";

export type { CatalogEntry, Disposition } from "./entry.ts";

/** Every error code there is, one file per room. docs/errors.md is made from this. */
export const CATALOG = {
  ...BASE,
  ...FLEET,
  ...PROOF,
  ...SOURCE,
  ...SSH,
  ...AGENT,
  ...BUNDLE,
  ...SECRETS,
  ...HUB,
  ...CLI,
  ...CI,
  ...POLICY,
  ...SIGNING,
} as const;

export type ErrorCode = keyof typeof CATALOG;

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(CATALOG, text);
}
