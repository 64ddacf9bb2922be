import assert from "node:assert/strict";
import { test } from "node:test";
import { launcherText } from "./launcher.ts";
import { layoutOf } from "./layout.ts";

test("the launcher execs nc on the agent's socket, or the agent itself where there is none", () => {
  const layout = layoutOf("/opt/o'claw");
  assert.equal(
    launcherText(layout, "/usr/bin/nc", "/n", "/a.mjs"),
    "#!/bin/sh\nunset SSH_ORIGINAL_COMMAND\nexec '/usr/bin/nc' '-U' '/opt/o'\\''claw/run/agent.sock' 2>/dev/null\n",
  );
  assert.match(launcherText(layout, null, "/n", "/a.mjs"), /^exec '\/n' '\/a\.mjs' 'stdio' '--root' '\/opt\/o'\\''claw' 2>\/dev\/null$/m);
});
