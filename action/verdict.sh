#!/bin/sh
# The job is red for what `mooring/plan` is red for: errors (1) and what a policy denies (3). Changes (2) are what a pull request is for.
set -eu
case ${MOORING_EXIT_CODE:-} in
0 | 2) ;;
3) echo "a policy denies this change" && exit 1 ;;
*) echo "this change has errors" && exit 1 ;;
esac
