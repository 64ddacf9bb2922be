import { writeEnvFile } from "./operator.ts";
import type { Stage } from "./stage.ts";

/** What a person can try while the fleet stays up: commands to paste, after one that names everything. */
export function next({ world, hub, operator, machines }: Stage): string {
  const file = writeEnvFile(world, operator, hub.socket, machines);
  return `
The fleet stays up until Ctrl-C. In another terminal${world.uids === null ? "" : " (as root)"}:

  . ${file}

then for instance
  mooring status
  mooring get machines -o wide
  openclaw-lobster status --root $MINI1
  echo x >> $MINI1/generations/current/plugins/greeter/dist/main.js   # then status again
  sed -i s/small/tiny/ README.md && git commit -qam typo && git push -q
  git rm -q grants/farewell.yaml && git commit -qm "no farewell" && git push -q && mooring status
  mooring release --key $KEYS/a --as a@acme.dev
  mooring release --key $KEYS/security --as security@acme.dev
  mooring revoke plugin/farewell --reason "to see it" --key $KEYS/ops --as ops@acme.dev

Ctrl-C stops everything and removes ${world.root}.
`;
}
