import { VERSION } from "../version.ts";

/** The workflow that checks each pull request. It reads and nothing else: no token is left in the checkout, actions are pinned by commit. */
export function workflowText(): string {
  return `name: mooring
on:
  pull_request:
  merge_group:
permissions:
  contents: read
jobs:
  validate:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-node@39370e3970a6d050c480ffad4ff0ed4d3fdee5af # v4.1.0
        with:
          node-version: "24"
      - run: npx --yes mooring@${VERSION} validate .
      - run: npx --yes mooring@${VERSION} policy test .
`;
}
