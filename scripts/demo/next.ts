import type { Stage } from "./stage.ts";

/** What a person can try while the fleet stays up: commands as they can be pasted. Pure. */
export function next({ world, hub, operator, machines }: Stage): string {
  const program = (name: "mooring" | "openclaw-lobster"): string => world.code.program(name);
  const [one] = machines;
  const key = operator.as("a").join(" ");
  return `
The fleet stays up until Ctrl-C. In another terminal:

  see it     ${program("mooring")} get machines --hub ${hub.socket}
             ${program("openclaw-lobster")} status --root ${one?.root ?? ""}
  its log    ${program("openclaw-lobster")} run --root ${one?.root ?? ""} --plugin-id greeter
  tamper     echo x >> ${one?.root ?? ""}/generations/current/plugins/greeter/dist/main.js
  change it  cd ${operator.clone}, edit, git commit, git push, then
             HOME=${operator.clone}/.. ${program("mooring")} release --source ${operator.url} ${key}
  files      ${world.root} (removed at the end)
`;
}
