#!/bin/bash
# Before this server stops: waits until the others are a majority without it, for half a minute at most, and gives the leadership away
# if it has it.
set -euo pipefail

api=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}/v1
ask() { curl --silent --max-time 2 --header "@${CONSUL_ACL_FOLDER:-/etc/consul-acl}/management.header" "$@"; }

failures=0 # where nobody answers there is no majority to keep
while ((SECONDS < 30 && failures < 5)); do
	if tolerated=$(ask "$api/operator/autopilot/health" | jq --exit-status '.FailureTolerance | numbers'); then
		((tolerated == 0)) || break
	else
		((++failures))
	fi
	sleep 1
done

# Another one takes it only when it has heard everything.
leads() { [ "$(ask "$api/agent/self" | jq -r .Stats.consul.leader)" = true ]; }
while ((SECONDS < 40)) && leads; do
	ask --fail --request POST "$api/operator/raft/transfer-leader" >/dev/null || sleep 1
done
