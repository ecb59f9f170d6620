#!/bin/sh
# post-gitlab.sh ENVIRONMENT FOLDER MERGE_REQUEST writes the plan in the folder into its note on the merge request. It reads
# CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN, an access token of the project with the scope api: a job's own cannot write notes.
set -eu

[ $# -eq 3 ] || { echo "Usage: post-gitlab.sh ENVIRONMENT FOLDER MERGE_REQUEST" >&2; exit 2; }
environment=$1 folder=$2 number=$3
scripts=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# api METHOD PATH [CURL_ARGUMENT ...] asks GitLab. The token goes through a pipe: arguments are in the list of processes.
api() {
	method=$1 path=$2
	shift 2
	printf 'header = "PRIVATE-TOKEN: %s"\n' "$GITLAB_TOKEN" |
		curl --config - --silent --show-error --fail-with-body --request "$method" "$@" "$CI_API_V4_URL/projects/$CI_PROJECT_ID/$path"
}

set --
for picture in "$folder"/core-map-*.svg; do
	[ -e "$picture" ] || continue
	api POST uploads --form "file=@$picture;type=image/svg+xml" >"$work/stored.json"
	set -- "$@" "$(jq -r .url "$work/stored.json")"
done

"$scripts/comment.sh" "$environment" "$folder" "$@" >"$work/comment.md"

id="" page=1
while [ -z "$id" ]; do
	api GET "merge_requests/$number/notes?per_page=100&page=$page" >"$work/notes.json"
	id=$(jq -r --arg mark "<!-- plan of $environment -->" 'map(select(.body | startswith($mark)))[0].id // empty' "$work/notes.json")
	[ "$(jq length "$work/notes.json")" -eq 100 ] || break
	page=$((page + 1))
done

if [ -n "$id" ]; then
	api PUT "merge_requests/$number/notes/$id" --form "body=<$work/comment.md" >/dev/null
else
	api POST "merge_requests/$number/notes" --form "body=<$work/comment.md" >/dev/null
fi
