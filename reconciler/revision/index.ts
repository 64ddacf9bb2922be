export { newestSigned } from "./newest.ts";
export { ageingOf } from "./ageing.ts";
export { type Branch, branchOf, NO_BRANCH } from "./branch.ts";
export { type Cover, type CoverInput, cover, heldSecrets, trustOf } from "./cover.ts";
export {
  completeOf,
  followed,
  isOurs,
  liftsOf,
  type NextInput,
  nextRelease,
  nextSerial,
  type ReadOutcome,
  type Released,
} from "./next.ts";
export { type SecretsInput, type SecretsState, secretsState } from "./secrets.ts";
export { checkTrustRoot } from "./root.ts";
export { checkFollows, checkForm, RESOLVER_FORMS, unknownForm } from "./forms.ts";
export { isWithdrawable, withdrawalInput, withdrawnBy, type WithdrawInput, type WithdrawnBy } from "./withdraw.ts";
export { filesIn, type Outcome, outcomeOf, type OutcomeReader, outcomeReader } from "./outcome.ts";
export { approvedBy, type Candidate, type PolicyJudge, policyJudge, refusalsOf } from "./policies.ts";
export { confirmedBy, pruneRefusals } from "./prune.ts";
export { type Selection, selectTarget, type Target } from "./select.ts";
export { signedBy } from "./signed-by.ts";
export { commitWords, waitOf } from "./standing.ts";
