import type { Deck, Evaluation, ExpressionProblem, Program } from "../program.ts";

/** What the engine asks its worker. `load` puts a deck in the place of the one before; `evaluate` judges the documents `which` of it. */
export type Ask =
  | { readonly id: number; readonly kind: "compile"; readonly program: Program }
  | { readonly id: number; readonly kind: "load"; readonly deck: Deck }
  | {
      readonly id: number;
      readonly kind: "evaluate";
      readonly program: Program;
      readonly which: readonly number[];
      readonly cover: boolean;
    };

/** What it answers; `ready` once, when everything is loaded. */
export type Answer =
  | { readonly kind: "ready" }
  | { readonly id: number; readonly kind: "compiled"; readonly problems: readonly ExpressionProblem[] }
  | { readonly id: number; readonly kind: "loaded" }
  | { readonly id: number; readonly kind: "evaluated"; readonly evaluation: Evaluation }
  | { readonly id: number; readonly kind: "crashed" };
