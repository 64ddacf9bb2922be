/** .github/workflows/mooring.yml: examples/ci/github.yml with the trust root written in (a test compares them). Actions are pinned by commit. */
export function workflowText(trustRoot: string): string {
  return `# .github/workflows/mooring.yml of a fleet repo. \`pull_request\`, never \`pull_request_target\`: a stranger's branch gets a token that only reads.
name: mooring
on:
  pull_request:
  merge_group:
  push:
    branches: [main]

permissions: {}

concurrency:
  group: mooring-\${{ github.event.pull_request.number || github.sha }}
  cancel-in-progress: true

jobs:
  plan:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read # the fleet repo and its branch mooring/releases
      pull-requests: write # the comment
      statuses: write # mooring/plan and mooring/roles
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0 # where the change left main, and who signed
          persist-credentials: false
      # Write the commit of the release of mooring that you have read, and raise it in a pull request of its own.
      - uses: OWNER/mooring@0000000000000000000000000000000000000000
        with:
          trust-root: "${trustRoot}" # \`mooring trust-root\` prints it; without it signatures are judged by the base's own word
`;
}
