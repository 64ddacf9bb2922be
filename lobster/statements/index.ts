export { openStatementBook, type Revoked, type StatementBook } from "./statements.ts";
