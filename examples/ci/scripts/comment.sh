#!/bin/sh
# comment.sh ENVIRONMENT FOLDER [PICTURE ...] prints the plan in the folder as Markdown. Pictures are addresses of the core map.
set -eu

[ $# -ge 2 ] || { echo "Usage: comment.sh ENVIRONMENT FOLDER [PICTURE ...]" >&2; exit 2; }
environment=$1 folder=$2
shift 2

# fold TITLE LANGUAGE BYTES prints what it reads below a title that opens it. GitHub takes 65,536 characters in a comment.
fold() {
	content=$(mktemp)
	head -c "$3" >"$content"
	printf '<details><summary>%s</summary>\n\n````%s\n' "$1" "$2"
	cat "$content"
	[ "$(wc -c <"$content")" -lt "$3" ] || printf '\n(The rest is in the log of the job.)\n'
	printf '\n````\n\n</details>\n\n'
	rm -f "$content"
}

printf '<!-- plan of %s -->\n### Plan of %s\n\n' "$environment" "$environment"
grep -E '^(Plan:|No changes\.)' "$folder/plan.txt" || echo "Only outputs change."
echo

if [ "$(jq length "$folder/disruptions.json")" -gt 0 ]; then
	printf '| disturbed | how |\n|---|---|\n'
	jq -r '.[] | "| `\(.address)` | \(.class) |"' "$folder/disruptions.json" | head -n 100
	echo
fi

if [ -s "$folder/warnings.txt" ]; then
	fold "Warnings" text 8000 <"$folder/warnings.txt"
fi

if ! cmp -s "$folder/core-map-before.txt" "$folder/core-map.txt"; then
	# diff ends with 1 where there is a difference.
	{ diff -U 2 "$folder/core-map-before.txt" "$folder/core-map.txt" || [ $? -eq 1 ]; } | tail -n +3 | fold "Cores that change hands" diff 16000
fi

for picture; do
	printf '![Every core with its machine, as planned](%s)\n\n' "$picture"
done

fold "The whole plan" diff 30000 <"$folder/plan.txt"
