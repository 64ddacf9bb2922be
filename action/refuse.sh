#!/bin/sh
# Ends the job where the event would run this with rights that the change's author has not. `ci plan` refuses the same again; this comes before anything
# is installed.
set -eu
case ${GITHUB_EVENT_NAME:-} in
pull_request | merge_group | push) ;;
*)
  echo "::error title=CI_EVENT_REFUSED::mooring runs on pull_request, merge_group and push; never on pull_request_target"
  exit 1
  ;;
esac
