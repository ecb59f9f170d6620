#!/usr/bin/env bash
# tool.sh NAME prints the path of golangci-lint, goreleaser, gotestsum or terraform-docs at the version of tools/NAME/go.mod: from PATH, else from
# the cache folder, else built into it once.
set -euo pipefail

name=$1
module=$(dirname "$0")/$name
package=$(sed -n 's/^tool //p' "$module/go.mod")
# The module is the longest required one whose path begins the package's.
version=$(awk -v package="$package" '
	{ sub(/^require /, ""); sub(/^[ \t]+/, "") }
	$2 ~ /^v[0-9]/ && index(package "/", $1 "/") == 1 && length($1) > longest { longest = length($1); version = substr($2, 2) }
	END { print version }' "$module/go.mod")

if [ -z "$version" ]; then
	echo "$module/go.mod requires no module of its tool ${package:-(it has none)}: run \`go -C $module get -tool PACKAGE@VERSION\`." >&2
	exit 1
fi

if found=$(command -v "$name") && "$found" --version 2>/dev/null | grep -qwF "$version"; then
	echo "$found"
	exit
fi

folder=${XDG_CACHE_HOME:-$HOME/.cache}/terraform-provider-hypervisor/bin
path=$folder/$name-$version

if [ ! -x "$path" ]; then
	mkdir -p -m 700 "$folder"
	exec 9>"$path.lock"
	flock 9

	if [ ! -x "$path" ]; then # another run may have built it meanwhile
		echo "building $name $version, once for this machine, which may take minutes" >&2
		GOFLAGS='' GOWORK=off CGO_ENABLED=0 go -C "$module" build -trimpath -ldflags '-s -w' -o "$path.new" "$package" >&2
		mv "$path.new" "$path"
		rm -f "$path.lock"
	fi
fi

echo "$path"
