export { readSecretFrame, type SecretHead, secretFrame } from "./frame.ts";
