#!/usr/bin/env bash
# Installs the Debian packages that the tests and the demo need, those only that are missing, and names them first.
set -euo pipefail

packages=(
	gcc libc6-dev                                        # cgo, and the library that makes up a host's hardware
	libvirt-daemon-system libvirt-clients                # libvirtd and virsh
	libvirt-daemon-driver-lxc                            # containers
	qemu-system-x86 qemu-utils                           # guests and their disks
	iproute2 util-linux procps tini dnsmasq-base         # hosts: network namespaces, a process reaper, DHCP
	openssh-server openssh-client                        # hosts that are reached by qemu+ssh
	libxml2-utils                                        # definitions are held against libvirt's schemas
	mariadb-server                                       # pairs of database servers
	keepalived                                           # gateways that share an address
	redis-server redis-tools apache2-bin                 # configurations of the modules are held against the servers
	jq curl shellcheck                                   # a pipeline's scripts, and a Consul server's
	linux-image-cloud-amd64 busybox-static cpio kmod     # the guest's system
	syslinux dosfstools mtools                           # the guest's boot disk, and a second opinion on seed images
)

fail() {
	echo "$*" >&2
	exit 1
}

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "The tests and the demo run real hypervisors and need Linux on x86-64; this is $(uname -s) on $(uname -m)."
command -v dpkg-query apt-get >/dev/null || fail "The tests and the demo need these Debian packages or their like, and there is no apt-get to install them: ${packages[*]}"

missing=()
for package in "${packages[@]}"; do
	status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing+=("$package")
done

[ ${#missing[@]} -gt 0 ] || exit 0

become=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || fail "These Debian packages are missing, and installing them needs root or sudo: ${missing[*]}"
	become=(sudo)
fi

echo "Installing Debian packages: ${missing[*]}"
"${become[@]}" apt-get update -qq
"${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
