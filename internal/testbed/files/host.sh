#!/bin/sh
# Becomes the libvirtd of one host of a test bed.
#
#   host.sh enter  FOLDER NETNS     joins the cgroups and namespaces of the host
#   host.sh inside FOLDER NETNS     arranges its mounts, then is libvirtd
#
# FOLDER holds etc lib run cache log hostname hosts nsswitch.conf cgroups, and, for made-up hardware, sysfs and shim.so.
# The process keeps its PID all the way down.
set -eu
step=$1 folder=$2 netns=$3

enter() {
	while read -r _ group; do
		echo $$ >"$group/cgroup.procs"
	done <"$folder/cgroups"
	# Not "ip netns exec": that mounts a /sys without cgroups.
	exec nsenter --net="/run/netns/$netns" unshare --mount --uts --ipc --cgroup --propagation private \
		/bin/sh "$0" inside "$folder" "$netns"
}

mount_cgroups() {
	if grep -q '^- ' "$folder/cgroups"; then # version 2
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		mkdir -p /sys/fs/cgroup/daemon
		echo $$ >/sys/fs/cgroup/daemon/cgroup.procs
		return
	fi
	mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
	while read -r controllers _; do
		mkdir "/sys/fs/cgroup/$controllers"
		case $controllers in
		name=*) options=none,$controllers ;;
		*) options=$controllers ;;
		esac
		mount -t cgroup -o "$options" cgroup "/sys/fs/cgroup/$controllers"
	done <"$folder/cgroups"
}

inside() {
	hostname "$(cat "$folder/hostname")"
	mkdir -p /var/lib/libvirt /var/cache/libvirt /var/log/libvirt
	mount --bind "$folder/etc" /etc/libvirt
	mount --bind "$folder/lib" /var/lib/libvirt
	mount --bind "$folder/cache" /var/cache/libvirt
	mount --bind "$folder/log" /var/log/libvirt
	mount --bind "$folder/hosts" /etc/hosts
	mount --bind "$folder/nsswitch.conf" /etc/nsswitch.conf
	# A /run of its own hides the machine's D-Bus too: systemd-machined would take the guests into its own cgroups.
	mount --bind "$folder/run" /run
	mount -t hugetlbfs hugetlbfs /var/lib/libvirt/hugepages
	# A sysfs mounted here shows the links of this network namespace. libvirt finds cgroups by the list of mounts, so
	# the machine's must go from it.
	umount --recursive --lazy /sys
	mount -t sysfs sysfs /sys
	mount_cgroups
	if [ -e "$folder/without-kvm" ]; then
		# A plain file that cannot be written: libvirt would ask QEMU again and again while it may write /dev/kvm.
		mount --bind "$folder/without-kvm" /dev/kvm
		mount -o remount,bind,ro /dev/kvm
	fi
	if [ -d "$folder/sysfs" ]; then
		mount --bind "$folder/sysfs/cpu" /sys/devices/system/cpu
		mount --bind "$folder/sysfs/node" /sys/devices/system/node
		export LD_PRELOAD="$folder/shim.so"
	fi
	echo 1 >/proc/sys/net/ipv4/ip_forward
	# tini adopts and reaps what libvirtd daemonises: libvirt takes a zombie for a machine that does not end.
	exec tini -s -- libvirtd --listen --config /etc/libvirt/libvirtd.conf --pid-file /run/libvirtd.pid
}

"$step"
