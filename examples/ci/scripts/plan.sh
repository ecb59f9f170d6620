#!/bin/sh
# plan.sh ENVIRONMENT FOLDER plans an environment. It leaves in the folder: plan.tfplan for apply.sh, plan.txt and warnings.txt for
# people, disruptions.json for check.sh, and the core map before and after (core-map-before.txt, core-map.txt, core-map-1.svg ...).
# A plan holds secrets in the clear: keep plan.tfplan where only the pipeline can read it.
set -eu

[ $# -eq 2 ] || { echo "Usage: plan.sh ENVIRONMENT FOLDER" >&2; exit 2; }
environment=$1
scripts=$(cd "$(dirname "$0")" && pwd)

umask 077
mkdir -p "$2"
folder=$(cd "$2" && pwd)
rm -f "$folder"/plan.* "$folder"/warnings.txt "$folder"/disruptions.json "$folder"/core-map* # of an earlier plan
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT

run() { "${TERRAFORM:-terraform}" -chdir="$scripts/../environments/$environment" "$@"; }

if ! run init -input=false -no-color >"$private/init.txt" 2>&1; then
	cat "$private/init.txt" >&2
	exit 1
fi

# As JSON, since its warnings name the resource that they are about.
planned=0
run plan -input=false -json -lock-timeout="${LOCK_TIMEOUT:-10m}" -out="$folder/plan.tfplan" >"$private/messages.json" || planned=$?

jq -r 'select(.type == "diagnostic").diagnostic | "\(.severity): \(.summary)" + (if .address then "\nat \(.address)" else "" end) + "\n\(.detail)\n"' \
	"$private/messages.json" >"$folder/warnings.txt"

if [ "$planned" -ne 0 ]; then
	rm -f "$folder/plan.tfplan"
	cat "$folder/warnings.txt" >&2
	exit 1
fi

run show -no-color "$folder/plan.tfplan" >"$folder/plan.txt"
run show -json "$folder/plan.tfplan" >"$private/plan.json"

jq --slurpfile messages "$private/messages.json" -f "$scripts/disruptions.jq" "$private/plan.json" >"$folder/disruptions.json"

# map WHEN ATTRIBUTE prints the core maps of all placements as a list.
map() {
	jq --arg when "$1" --arg attribute "$2" '[.resource_changes[] | select(.type == "hypervisor_placement").change[$when][$attribute]? // empty]' "$private/plan.json"
}

map before core_map | jq -r '.[]' >"$folder/core-map-before.txt"
map after core_map | jq -r '.[]' >"$folder/core-map.txt"
map after core_map_svg >"$private/pictures.json"

for n in $(jq -r 'range(length)' "$private/pictures.json"); do
	jq -j --argjson n "$n" '.[$n]' "$private/pictures.json" >"$folder/core-map-$((n + 1)).svg"
done

cat "$folder/plan.txt" "$folder/warnings.txt"
