import type { Words } from "./words.ts";

export const SECRET_GRANT: Words = {
  summary: "This plugin may use these secrets on these machines, this way, until then. Without a grant there is no secret.",
  fields: {
    plugin: "Who may use them; or `gateway`.",
    gateway: ["OpenClaw itself may use them, instead of a plugin.", "the whole field"],
    machines: "Where. The grant reaches only machines that run the plugin too.",
    secrets: "Which secrets, each once.",
    "secrets.ref": "The secret.",
    "secrets.delivery": [
      "`fd`: the plugin holds the value in memory. `egress`: it holds a placeholder, and the proxy puts the value in. `resolve`: for the gateway only.",
      "`egress`, `resolve`",
    ],
    "secrets.hosts": "With `egress`: where the value may go.",
    "secrets.header": "With `egress`: the header it goes into.",
    expires: "Until then; none = without an end.",
  },
};
