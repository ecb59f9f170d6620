#!/bin/sh
# redis-cluster-join [FILE] makes this machine the member of the Redis Cluster that FILE, /etc/redis/cluster by default, says it is. It
# ends with 0 once that is so, and with 1 as long as it is not; it can be run at any time and any number of times, on all machines at
# once, and changes nothing but its own machine. The password, if there is one, is in /etc/redis/secret.conf.
#
# FILE has a line "self ADDRESS:PORT", and one "shard FIRST LAST ADDRESS:PORT ..." for each shard: the slots that it has in a new cluster,
# and its members, of which the first is its master in a new cluster.
set -eu

file=${1:-/etc/redis/cluster}
secret=${2:-/etc/redis/secret.conf}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -r "$secret" ]; then
	REDISCLI_AUTH=$(sed -n 's/^requirepass //p' "$secret")
	export REDISCLI_AUTH
fi

wait_for() {
	echo "$*" >&2
	exit 1
}

# ask ADDRESS:PORT COMMAND ... fails if there is no answer, or if it is an error.
ask() {
	to=$1
	shift
	answer=$(timeout 5 redis-cli -e -h "${to%:*}" -p "${to##*:}" "$@" 2>/dev/null) || return 1
	printf '%s\n' "$answer"
}

self=$(sed -n 's/^self //p' "$file")
members=$(sed -n 's/^shard [0-9]* [0-9]* //p' "$file" | tr ' ' '\n')
ask "$self" PING >/dev/null || wait_for "Redis does not answer at $self."

# What each member that answers sees, its own view first: a line "MEMBER ID ADDRESS FLAGS SLOTS" for each node.
heard=0
for member in "$self" $(echo "$members" | grep -vxF "$self"); do
	if ask "$member" CLUSTER NODES >"$work/nodes"; then
		heard=$((heard + 1))
		awk -v member="$member" '
			{
				sub(/@.*/, "", $2)
				slots = ""
				for (i = 9; i <= NF; i++) if ($i !~ /^\[/) slots = slots "," $i
				print member, $1, $2, $3, slots == "" ? "-" : slots
			}' "$work/nodes" >>"$work/views"
	fi
done

# Fewer could be the cut-off part of a cluster that has moved on.
all=$(echo "$members" | wc -l)
[ $((2 * heard)) -gt "$all" ] || wait_for "Only $heard of the $all members answer."

# Everybody who answers and whom this machine does not know is introduced.
strangers=0
awk '{ print $1 }' "$work/views" | sort -u >"$work/heard"
while read -r member; do
	if ! awk -v self="$self" -v member="$member" '$1 == self && ($3 == member || $4 ~ /myself/ && self == member) && $4 !~ /handshake/ { known = 1 } END { exit !known }' "$work/views"; then
		ask "$self" CLUSTER MEET "${member%:*}" "${member##*:}" >/dev/null || wait_for "Unable to introduce $member."
		strangers=$((strangers + 1))
	fi
done <"$work/heard"

[ "$strangers" -eq 0 ] || wait_for "$strangers of the members that answer are being introduced."

# A machine that follows a master, or has slots, is where it belongs.
if awk -v self="$self" '$1 == self && $4 ~ /myself/ && ($4 ~ /slave/ || $5 != "-") { found = 1 } END { exit !found }' "$work/views"; then
	exit 0
fi

# shard prints the line of this machine's shard.
shard() {
	awk -v self="$self" '$1 == "shard" { for (i = 4; i <= NF; i++) if ($i == self) print }' "$file"
}

first_slot=$(shard | awk '{ print $2 }')
last_slot=$(shard | awk '{ print $3 }')
first_member=$(shard | awk '{ print $4 }')

# Whoever of the shard says of itself that it is master of slots is the one to follow, whatever the file says: it may have taken over.
for member in $(shard | cut -d ' ' -f 4-); do
	id=$(awk -v member="$member" '$1 == member && $4 ~ /myself/ && $4 ~ /master/ && $5 != "-" { print $2 }' "$work/views")
	if [ "$member" != "$self" ] && [ -n "$id" ]; then
		ask "$self" CLUSTER REPLICATE "$id" >/dev/null || wait_for "Unable to follow $member."
		exit 0
	fi
done

[ "$self" = "$first_member" ] || wait_for "No master of the slots $first_slot to $last_slot is there yet."

# Slots that anybody knows an owner of are not taken.
owner=$(awk -v first="$first_slot" -v last="$last_slot" '
	{
		n = split($5, ranges, ",")
		for (i = 1; i <= n; i++) {
			m = split(ranges[i], ends, "-")
			if (ranges[i] ~ /^[0-9]/ && ends[1] + 0 <= last + 0 && ends[m] + 0 >= first + 0) print $3
		}
	}' "$work/views" | sort -u | tr '\n' ' ')

if [ -n "$owner" ]; then
	echo "Slots from $first_slot to $last_slot belong to ${owner}. This machine takes part without slots. \"redis-cli --cluster rebalance\" gives it some, and \"redis-cli --cluster fix\" those of a machine that is gone for good." >&2
	exit 0
fi

ask "$self" CLUSTER ADDSLOTSRANGE "$first_slot" "$last_slot" >/dev/null || wait_for "Unable to take the slots $first_slot to $last_slot."
