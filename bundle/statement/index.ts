export type { TreeFile } from "#proof/root/index.ts";
export type { PluginStatement } from "#proof/sigstore/index.ts";
export { checkTree, signStatement, statementFor } from "./statement.ts";
