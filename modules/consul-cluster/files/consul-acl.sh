#!/bin/bash
# Makes Consul's policies and tokens what /etc/consul-acl says. Every server runs it, at each start and all at once: it may be cut
# short and repeated anywhere, and fails until there is a leader. Secrets go through files and pipes, for a command line is
# everybody's to read.
set -euo pipefail

folder=${CONSUL_ACL_FOLDER:-/etc/consul-acl}
api=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}/v1/acl

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# call METHOD PATH sends standard input, leaves the answer in $answer and the status in $status.
call() {
	local body=()
	[ "$1" = GET ] || body=(--data-binary @-)
	status=$(curl --silent --show-error --max-time 10 --header "@$folder/management.header" --request "$1" "${body[@]}" \
		--output "$answer" --write-out '%{http_code}' "$api/$2")
}

# put METHOD PATH WHAT fails with Consul's words.
put() {
	call PUT "$1"
	[ "$status" = 200 ] || {
		echo "Unable to write $2: Consul answered $status: $(cat "$answer")" >&2
		return 1
	}
}

# An object that is as it should be is left alone, so a restart writes nothing.
while read -r policy; do
	name=$(jq -r .Name <<<"$policy")
	call GET "policy/name/$name"
	if [ "$status" = 404 ] || [ "$(jq -r .ID "$answer" 2>/dev/null)" = '' ]; then
		put policy "policy $name" <<<"$policy"
	elif [ "$status" != 200 ]; then
		echo "Unable to read policy $name: Consul answered $status: $(cat "$answer")" >&2
		exit 1
	elif [ "$(jq -r .Rules "$answer")" != "$(jq -r .Rules <<<"$policy")" ]; then
		id=$(jq -r .ID "$answer")
		jq --arg id "$id" '. + {ID: $id}' <<<"$policy" | put "policy/$id" "policy $name"
	fi
done < <(jq -c '.[]' "$folder/policies.json")

while read -r token; do
	accessor=$(jq -r .AccessorID <<<"$token")
	what="the token of policy $(jq -r '.Policies[0].Name' <<<"$token")"
	call GET "token/$accessor"
	# A token's secret never changes: another one takes its place.
	if [ "$status" = 200 ] && jq -e --slurpfile now "$answer" 'has("SecretID") and .SecretID != $now[0].SecretID' <<<"$token" >/dev/null; then
		call DELETE "token/$accessor" </dev/null
		status=404
	fi
	case $status in
	200)
		jq -e --slurpfile now "$answer" '[.Policies[].Name] == [$now[0].Policies[]?.Name]' <<<"$token" >/dev/null ||
			put "token/$accessor" "$what" <<<"$token"
		;;
	403 | 404) put token "$what" <<<"$token" ;;
	*)
		echo "Unable to read $what: Consul answered $status: $(cat "$answer")" >&2
		exit 1
		;;
	esac
done < <(jq -c '.[]' "$folder/tokens.json")
