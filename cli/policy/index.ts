export { policyAdd, policyList } from "./add.ts";
export { policyTest, type TestOptions } from "./test.ts";
