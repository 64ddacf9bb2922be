/** Version of the agent, as `hello` says it; the same as the product's (package.json), which a test holds. */
export const VERSION = "0.1.0";
