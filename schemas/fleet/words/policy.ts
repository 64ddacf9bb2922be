import type { Words } from "./words.ts";

export const POLICY: Words = {
  summary:
    "Rules over changes of the other documents, in CEL, shaped like Kubernetes' ValidatingAdmissionPolicy. Tests lie in `policies/tests/`.",
  fields: {
    match: "Which changes it judges.",
    "match.kinds": "Kinds of documents.",
    "match.actions": "What must have happened to the document; `keep` = nothing, so the policy judges it at every change.",
    "match.machines": "Only documents that reach such a machine before or after the change; left out = every document.",
    params: "What expressions read as `params`.",
    variables: "Read as `variables.NAME`, by the variables after it and by the validations; evaluated when first read.",
    "variables.name": "A CEL identifier.",
    "variables.expression": "CEL.",
    validations: "What must be true.",
    "validations.expression": "CEL that gives true where all is well.",
    "validations.message": "What people read; left out = the expression.",
    "validations.messageExpression": "CEL that gives a text, and wins.",
    "validations.level": "What a failure means; see below.",
    owners: "Who approves at level `require-approval`; principals with a release key.",
    approveCount: "How many of them must.",
  },
};
