#!/bin/bash
# Before this server stops: gives the leadership away, if it has it.
set -euo pipefail

api=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}/v1
ask() { curl --silent --fail --max-time 2 --header "@${CONSUL_ACL_FOLDER:-/etc/consul-acl}/management.header" "$@"; }

[ "$(ask "$api/agent/self" | jq -r .Stats.consul.leader)" = true ] || exit 0
ask --request PUT "$api/operator/raft/transfer-leader" >/dev/null
