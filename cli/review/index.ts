export { type Looked, lookAtCheckout, planCheckout, reviewCheckout, type ReviewOptions } from "./plan.ts";
export type {
  AccessChange,
  Blast,
  CommitStatus,
  Deletion,
  LiveState,
  PolicySummary,
  ReleaseState,
  Rename,
  Review,
  RoleRow,
} from "./review.ts";
export { type ReviewInput, reviewOf } from "./review-of.ts";
export { exitCodeOf, footerOf, rolesExitCode, statusesOf, waitingFor } from "./statuses.ts";
export { accessLine, reviewJson, reviewText } from "./text.ts";
