import type { Chapter } from "../stage.ts";
import { audit } from "./audit.ts";
import { bump } from "./bump.ts";
import { canary } from "./canary.ts";
import { converge } from "./converge.ts";
import { drift } from "./drift.ts";
import { forged } from "./forged.ts";
import { grant } from "./grant.ts";
import { readme } from "./readme.ts";
import { revoke } from "./revoke.ts";
import { use } from "./use.ts";

/** The story, in order: each chapter starts where the one before it ended. */
export const STORY: readonly Chapter[] = [converge, use, readme, bump, grant, drift, forged, revoke, audit, canary];
