#!/bin/sh
# apply.sh ENVIRONMENT FOLDER applies the plan that plan.sh left in the folder, and nothing else: Terraform refuses it if the state has
# changed since.
set -eu

[ $# -eq 2 ] || { echo "Usage: apply.sh ENVIRONMENT FOLDER" >&2; exit 2; }
scripts=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$2" && pwd)

"${TERRAFORM:-terraform}" -chdir="$scripts/../environments/$1" apply -input=false -no-color -lock-timeout="${LOCK_TIMEOUT:-10m}" "$folder/plan.tfplan"
rm -f "$folder/plan.tfplan"
