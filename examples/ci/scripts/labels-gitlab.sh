#!/bin/sh
# labels-gitlab.sh prints the labels of the merge request that brought the commit of this pipeline, separated by commas. It reads
# CI_API_V4_URL, CI_PROJECT_ID, CI_COMMIT_SHA and GITLAB_TOKEN.
set -eu

printf 'header = "PRIVATE-TOKEN: %s"\n' "$GITLAB_TOKEN" |
	curl --config - --silent --show-error --fail-with-body "$CI_API_V4_URL/projects/$CI_PROJECT_ID/repository/commits/$CI_COMMIT_SHA/merge_requests" |
	jq -r 'map(select(.state == "merged").labels[]) | join(",")'
