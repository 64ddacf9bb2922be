import type { CatalogPart } from "./entry.ts";

/** The git source and the releases branch. */
export const SOURCE = {
  SOURCE_UNREACHABLE: { disposition: "retry", fix: "check the URL, the network and the credentials of the source" },
  SOURCE_DENIED: { disposition: "retry", fix: "renew the token of the source and check that it may read this repository" },
  SOURCE_MISCONFIGURED: {
    disposition: "stalled",
    fix: "correct the source's URL: https://host/repo.git, file:///path/repo.git or an absolute path",
  },
  SOURCE_TOO_LARGE: {
    disposition: "stalled",
    fix: "take big files out of the fleet repo: plugins and models are fetched by digest, not from git",
  },
  SOURCE_CORRUPT: {
    disposition: "retry",
    fix: "nothing to do for a remote source: the next poll makes a fresh copy; run `git fsck` in a local one",
  },
  SOURCE_OBJECT_MISSING: { disposition: "stalled", fix: "name a commit that the followed branches contain" },
  SOURCE_TREE_REFUSED: { disposition: "refused", fix: "commit a correction: plain files with plain names only" },
  SOURCE_NOT_FAST_FORWARD: {
    disposition: "refused",
    fix: "put the last verified commit back under main; history that was applied is never rewritten",
  },
  SOURCE_UNSIGNED: {
    disposition: "refused",
    fix: "sign the commit with a key of trust/allowed_signers (`git commit -S`), or lower spec.trust.commits.require",
  },
  SOURCE_STATE_BROKEN: { disposition: "stalled", fix: "move the state file away; the newest revision any machine attests takes its place" },
  SOURCE_PATH_TAKEN: { disposition: "refused", fix: "releases are never edited: use a new serial" },
  SOURCE_PUSH_RACED: { disposition: "retry", fix: "run the command again: others were pushing to the same branch" },
  SOURCE_PUSH_REFUSED: { disposition: "stalled", fix: "check that the credentials may push to this branch" },
  SOURCE_NOT_FOUND: {
    disposition: "retry",
    fix: "check the repository's path; many servers also say so to whoever may not read it, so check the token or key",
  },
  SOURCE_NOT_GIT: { disposition: "retry", fix: "check the URL: what answers there is no git server, or is one behind a login page" },
  SOURCE_CERT_REFUSED: {
    disposition: "retry",
    fix: "renew the server's certificate, or name the authority that signed it with --source-ca FILE",
  },
  SOURCE_PROXY_REFUSED: { disposition: "retry", fix: "check the proxy's address and credentials: --source-proxy, --source-proxy-auth" },
  SOURCE_HOST_KEY_MISMATCH: {
    disposition: "refused",
    fix: "compare with the key the git server's operator publishes; if it changed, pin the new one with --source-host-key or --source-known-hosts",
  },
  SOURCE_PACK_REFUSED: {
    disposition: "retry",
    fix: "nothing to do: the next poll downloads it again; if it stays, run `git fsck` on the server's repository",
  },
  SOURCE_STORE_FAILED: { disposition: "retry", fix: "make room on the disk of the hub's folder; nothing that is in force was touched" },
  WEBHOOK_SECRET_UNUSABLE: {
    disposition: "stalled",
    fix: "put a random secret of 16 characters or more on a line of the file: `openssl rand -hex 32`",
  },
  WEBHOOK_PORT_TAKEN: { disposition: "stalled", fix: "name a free address of this machine with --webhook-listen" },
} as const satisfies CatalogPart;
