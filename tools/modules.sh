#!/usr/bin/env bash
# modules.sh FOLDER TERRAFORM writes what is generated in the modules of the folder: the tables of inputs and outputs of each
# README, and the table and the picture of sizing.
set -euo pipefail

folder=$1 terraform=$2
docs=$("$(dirname "$0")/tool.sh" terraform-docs)

for module in "$folder"/*/; do
	"$docs" --config "$folder/.terraform-docs.yml" "$module" >/dev/null
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$folder/sizing" "$work"
example=$work/sizing/examples/scale

"$terraform" -chdir="$example" init >/dev/null
"$terraform" -chdir="$example" apply -auto-approve >/dev/null
"$terraform" -chdir="$example" output -raw plot >"$folder/sizing/scale.svg"
"$terraform" -chdir="$example" output -raw table >"$work/table.md"

awk -v table="$work/table.md" '
	/^<!-- END_SCALE -->$/ { inside = 0 }
	!inside { print }
	/^<!-- BEGIN_SCALE -->$/ { inside = 1; while ((getline line < table) > 0) print line }
' "$folder/sizing/README.md" >"$work/README.md"
cp "$work/README.md" "$folder/sizing/README.md"
