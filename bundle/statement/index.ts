export type { PluginStatement, TreeFile } from "#proof/sigstore/index.ts";
export { checkTree, signStatement, statementFor } from "./statement.ts";
