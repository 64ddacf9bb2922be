export { composeAttestation, verifyAttestation } from "./attest.ts";
