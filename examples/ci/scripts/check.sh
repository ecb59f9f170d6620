#!/bin/sh
# check.sh FOLDER CLASS refuses the plan in the folder if it disturbs a machine more than CLASS: none, live, reboot or replace.
set -eu

[ $# -eq 2 ] || { echo "Usage: check.sh FOLDER CLASS" >&2; exit 2; }

case $2 in
none | live | reboot | replace) ;;
*)
	echo "Unable to check the plan: the class \"$2\" is none of none, live, reboot and replace." >&2
	exit 2
	;;
esac

above=$(jq -r --arg allowed "$2" '
	{ none: 0, live: 1, reboot: 2, replace: 3 } as $rank
	| .[] | select($rank[.class] > $rank[$allowed]) | "  \(.class)\t\(.address)"' "$1/disruptions.json")

if [ -n "$above" ]; then
	printf 'Unable to allow the plan: it disturbs more than "%s".\n%s\n' "$2" "$above" >&2
	echo "Give the change the label allow-reboot or allow-replace if that is meant, or take it back." >&2
	exit 1
fi

echo "The plan disturbs nothing beyond \"$2\"."
