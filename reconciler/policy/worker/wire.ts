import type { Evaluation, ExpressionProblem, Program, Shared, Subject } from "../program.ts";

/** What the engine asks its worker. */
export type Ask =
  | { readonly id: number; readonly kind: "compile"; readonly programs: readonly Program[] }
  | {
      readonly id: number;
      readonly kind: "evaluate";
      readonly program: Program;
      readonly shared: Shared;
      readonly subjects: readonly Subject[];
      readonly cover: boolean;
    };

/** What it answers; `ready` once, when everything is loaded. */
export type Answer =
  | { readonly kind: "ready" }
  | { readonly id: number; readonly kind: "compiled"; readonly problems: readonly (readonly ExpressionProblem[])[] }
  | { readonly id: number; readonly kind: "evaluated"; readonly evaluation: Evaluation }
  | { readonly id: number; readonly kind: "crashed" };
