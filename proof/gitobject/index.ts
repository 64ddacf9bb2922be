export { type GitCommit, type GitPerson, type GitTag, parseCommit, parseTag } from "./commit.ts";
export { type SplitCommit, splitCommit } from "./split.ts";
export { type CommitSigner, GIT_NAMESPACE, verifyCommit } from "./verify.ts";
