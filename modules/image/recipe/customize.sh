#!/usr/bin/env bash
# customize.sh ROOT WORK puts the programs of the work folder and the recipe's files into a root file system, and disables
# whatever a role has to ask for.
set -euo pipefail

root=$1 work=$2
recipe=$(cd "$(dirname "$0")" && pwd)
pair=$recipe/../../../cmd/mysql-pair/systemd

install -m 755 "$work/consul" "$work/traefik" "$work/mysql-pair" "$root/usr/local/bin"
if [ -f "$work/kong.deb" ]; then
	cp "$work/kong.deb" "$root/tmp/kong.deb"
	chroot "$root" apt-get install --yes --no-install-recommends /tmp/kong.deb
	rm "$root/tmp/kong.deb"
fi

cp --recursive --no-preserve=mode,ownership "$recipe/files/." "$root"
install -m 644 "$pair/mysql-pair.service" "$pair/mysql-pair-leave.service" "$root/etc/systemd/system"
install -D -m 644 "$pair/mariadb.conf" "$root/usr/local/share/mysql-pair/mariadb.conf" # a member of a pair copies it

# Accounts of what Debian does not package. The agent's configuration holds keys.
for name in consul traefik; do
	chroot "$root" useradd --system --user-group --no-create-home --home-dir "/var/lib/$name" --shell /usr/sbin/nologin "$name"
	chroot "$root" install -d -m 700 -o "$name" -g "$name" "/var/lib/$name"
done
chroot "$root" install -d -m 750 -o root -g consul /etc/consul.d
chroot "$root" install -d -m 750 -o root -g traefik /etc/traefik

# Nothing that serves runs before a role enables it.
chroot "$root" systemctl --quiet disable apache2 mariadb redis-server redis-sentinel keepalived
for unit in apache2 mariadb redis-server redis-sentinel keepalived consul traefik mysql-pair; do
	[ "$(chroot "$root" systemctl is-enabled "$unit.service" || true)" = disabled ] || {
		echo "Unable to build the image: $unit is not disabled." >&2
		exit 1
	}
done

# What costs time at each boot and serves nobody in a machine that is made anew rather than kept up.
grep --invert-match --extended-regexp '^(#|$)' "$recipe/masked" | while read -r unit; do
	ln --symbolic --force /dev/null "$root/etc/systemd/system/$unit"
done
chroot "$root" systemctl --quiet enable systemd-networkd.service systemd-resolved.service
ln --symbolic --force /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

# Each machine has an identity and keys of its own.
: >"$root/etc/machine-id"
rm --force "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id" "$root/etc/hostname"
rm --recursive --force "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/*.log "$root"/var/log/apt
