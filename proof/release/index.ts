export type { ReleaseProof } from "#schemas/wire/index.ts";
export { type Accepted, type AcceptInput, acceptRelease } from "./accept.ts";
export { type BuildInput, buildProof } from "./build.ts";
export { type ComposeInput, composeRelease, composeSecretsRelease, isCovered } from "./compose.ts";
export { type CheckedDesired, checkDesired } from "./desired.ts";
export { type ClassEntry, parseRelease, parseSecretsRelease, type ReleaseDoc, type SecretsDoc } from "./documents.ts";
export { isComplete, type Judgement, judgeRelease, judgeSecrets, mayBeComplete, type Missing } from "./judge.ts";
export { findTrustChain, type Holds, type KnownRelease, readBranch, readKnown, type ReleaseItem, type TrustSearch } from "./known.ts";
export { lifetimeOf } from "./lifetime.ts";
export { isSecretsSigned } from "./secrets.ts";
export {
  isCandidate,
  proverOf,
  readRelease,
  readSecrets,
  releaseName,
  roleOfClass,
  type Signed,
  type SignedRelease,
  type SignedSecrets,
} from "./signed.ts";
export {
  ACTION_NAMESPACE,
  countRole,
  principalsOf,
  RELEASE_NAMESPACE,
  type RoleCount,
  SECRETS_NAMESPACE,
  type Signatures,
  signersOf,
  workflowName,
} from "./signers.ts";
export { composeStatement, parseStatement, type StatementContext, type VerifiedStatement, verifyStatement } from "./statement.ts";
export { SERIAL_WINDOW, type Stored, type StoredClass } from "./stored.ts";
export { parseTrust, ROLE_NAMES, type Trust } from "./trust.ts";
export { stepFault, type TrustStart, type TrustStep, walkTrust } from "./walk.ts";
export { payloadTypeOf } from "./workflows.ts";
