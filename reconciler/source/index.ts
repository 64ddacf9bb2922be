export { history, isAncestor, mergeBases } from "./ancestry.ts";
export { type TreeEdits } from "./build.ts";
export { authorOf, commitName } from "./author.ts";
export { type Authors, authorsKey, signatureRefusal } from "./commit-signature.ts";
export { type CommitRule, judgedAnew, verifyCommits } from "./commits.ts";
export { isTree, type Merged, mergeTrees } from "./merge.ts";
export { hashObject, MAX_BLOB_BYTES, Objects, type Oid } from "./objects.ts";
export { Mutex, type Turns } from "./mutex.ts";
export { Notice, type NoticeOptions } from "./notice.ts";
export { commitFiles, type CommitFiles, type Parent, pushCommit, type PushCommit, type PushDeps } from "./push.ts";
export {
  readReleases,
  RELEASES_BRANCH,
  type ReleaseEntry,
  releaseFolder,
  type ReleaseFinding,
  type Releases,
  type SignedEntry,
  statementFolder,
} from "./releases.ts";
export { openSource, type Poll, type Source, type SourceConfig } from "./source.ts";
export { diffTrees, readTree, type Tree, type TreeChange, type TreeFile } from "./tree.ts";
export { type Access, type AccessFiles, accessOf, parsePlace, type Place } from "./transport/index.ts";
export { readVerified, storeVerified, type Verified } from "./verified.ts";
export { type Person } from "./write-objects.ts";
