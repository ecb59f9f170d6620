#!/bin/sh
# post-github.sh ENVIRONMENT FOLDER PULL_REQUEST writes the plan in the folder into its comment on the pull request. Pictures go to the
# branch plan-pictures, since a comment on GitHub cannot hold one. It reads GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_SHA,
# GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT and GITHUB_TOKEN.
set -eu

[ $# -eq 3 ] || { echo "Usage: post-github.sh ENVIRONMENT FOLDER PULL_REQUEST" >&2; exit 2; }
environment=$1 folder=$2 number=$3
scripts=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# api METHOD PATH [CURL_ARGUMENT ...] asks GitHub. The token goes through a pipe: arguments are in the list of processes.
api() {
	method=$1 path=$2
	shift 2
	printf 'header = "Authorization: Bearer %s"\n' "$GITHUB_TOKEN" |
		curl --config - --silent --show-error --fail-with-body --request "$method" --header "Accept: application/vnd.github+json" \
			--header "Content-Type: application/json" "$@" \
			"$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/$path"
}

has_branch() {
	[ "$(api GET git/matching-refs/heads/plan-pictures | jq length)" -gt 0 ]
}

if [ -e "$folder/core-map-1.svg" ] && ! has_branch; then
	jq -n --arg sha "$GITHUB_SHA" '{ ref: "refs/heads/plan-pictures", sha: $sha }' >"$work/ref.json"
	api POST git/refs --data-binary "@$work/ref.json" >/dev/null || has_branch # another job may have been faster
fi

# A name of its own for each run: pictures are cached by their address.
set --
for picture in "$folder"/core-map-*.svg; do
	[ -e "$picture" ] || continue
	path="$number/$environment-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT-$(basename "$picture")"
	jq -n --rawfile picture "$picture" --arg path "$path" '{ message: "Add \($path)", branch: "plan-pictures", content: ($picture | @base64) }' >"$work/picture.json"
	# Two jobs may write to the branch at once, and GitHub lets one of them try again.
	api PUT "contents/$path" --data-binary "@$work/picture.json" --retry 5 --retry-all-errors --output "$work/stored.json"
	set -- "$@" "$(jq -r '.content.html_url' "$work/stored.json")?raw=true"
done

"$scripts/comment.sh" "$environment" "$folder" "$@" >"$work/comment.md"
jq -n --rawfile body "$work/comment.md" '{ body: $body }' >"$work/body.json"

id="" page=1
while [ -z "$id" ]; do
	api GET "issues/$number/comments?per_page=100&page=$page" >"$work/comments.json"
	id=$(jq -r --arg mark "<!-- plan of $environment -->" 'map(select(.body | startswith($mark)))[0].id // empty' "$work/comments.json")
	[ "$(jq length "$work/comments.json")" -eq 100 ] || break
	page=$((page + 1))
done

if [ -n "$id" ]; then
	api PATCH "issues/comments/$id" --data-binary "@$work/body.json" >/dev/null
else
	api POST "issues/$number/comments" --data-binary "@$work/body.json" >/dev/null
fi
