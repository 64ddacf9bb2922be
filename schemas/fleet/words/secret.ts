import type { Words } from "./words.ts";

export const SECRET: Words = {
  summary:
    "A secret and its versions, each an age file beside it. The reference is `secret://<team>/<name>`; no value is ever in the repo in clear.",
  fields: {
    current: "The version that machines get.",
    previous: "The one before, still known to work.",
    versions: "By number, which is quoted since a key is text. `mooring secret-ref add` writes them.",
    "versions.*.file": "The age file, beside this one.",
    "versions.*.digest": "Its digest; another is `SECRET_FILE_WRONG`.",
    "versions.*.created": "When it was sealed.",
  },
};
