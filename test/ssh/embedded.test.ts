import { startEmbeddedSshd } from "#test/support/embedded-sshd.ts";
import { transportContract } from "./contract.ts";

transportContract("ssh2's own server", startEmbeddedSshd);
