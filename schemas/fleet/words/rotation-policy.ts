import type { Words } from "./words.ts";

export const ROTATION_POLICY: Words = {
  summary: "When and how secrets get a new value.",
  notYet: true,
  fields: {
    secrets: "Which secrets.",
    schedule: "When.",
    timezone: "Zone of the schedule.",
    maxAge: "Rotate at the latest then.",
    window: "How long a run may take.",
    provider: "What makes the new value.",
    "provider.kind": "How it is asked.",
    "provider.config": "What it needs to know; no secrets.",
    grace: "How long the old value still works.",
    triggers: "What else makes a new value.",
  },
};
