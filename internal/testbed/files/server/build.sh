#!/usr/bin/env bash
# build.sh FOLDER makes Debian as a libvirt host with a kernel of its own: its file system disk.raw, the kernel and the initrd that
# boot it, and key and known_hosts for who logs in as root.
set -euo pipefail

folder=$1
root=$folder/root

packages=(
	linux-image-cloud-amd64 initramfs-tools systemd-sysv udev dbus kmod iproute2 procps openssh-server
	libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils netcat-openbsd dnsmasq-base apparmor
	lvm2 nfs-kernel-server nfs-common openvswitch-switch
)

# An initramfs of what the disk needs, and of nothing else.
mmdebstrap --quiet --variant=minbase --include="$(IFS=, && echo "${packages[*]}")" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
	--essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"' \
	--essential-hook='printf "%s\n" MODULES=list COMPRESS=gzip >"$1/etc/initramfs-tools/conf.d/server"' \
	--essential-hook='printf "%s\n" virtio_pci virtio_blk ext4 >"$1/usr/share/initramfs-tools/modules.d/server"' \
	--format=directory bookworm "$root"

echo server >"$root/etc/hostname"
echo '127.0.0.1 localhost server' >"$root/etc/hosts"
echo '/dev/vda / ext4 rw,noatime 0 1' >"$root/etc/fstab"

# The address comes with the kernel's command line. Who may connect is up to the QEMU that the host runs in.
chroot "$root" systemctl --quiet enable systemd-networkd.service systemd-network-generator.service libvirtd.service libvirtd-tcp.socket nfs-server.service
echo 'auth_tcp = "none"' >>"$root/etc/libvirt/libvirtd.conf"
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
	fstrim.timer systemd-networkd-wait-online.service getty@.service serial-getty@.service systemd-binfmt.service libvirt-guests.service

# Emulated on a busy machine a boot takes as long as it takes.
mkdir -p "$root/etc/systemd/system.conf.d"
printf '%s\n' '[Manager]' DefaultTimeoutStartSec=1h DefaultDeviceTimeoutSec=1h >"$root/etc/systemd/system.conf.d/server.conf"

rm -f "$root"/etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -C server -f "$root/etc/ssh/ssh_host_ed25519_key"
ssh-keygen -q -t ed25519 -N '' -C test -f "$folder/key"
install -D -m 600 "$folder/key.pub" "$root/root/.ssh/authorized_keys"
echo "server $(cut -d' ' -f1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub")" >"$folder/known_hosts"
# The names of who asks are not looked up, since nobody answers.
printf '%s\n' 'UseDNS no' 'HostKey /etc/ssh/ssh_host_ed25519_key' >"$root/etc/ssh/sshd_config.d/server.conf"

# The pool that a distribution's tools would make.
mkdir -p "$root/etc/libvirt/storage/autostart"
cat >"$root/etc/libvirt/storage/default.xml" <<-END
	<pool type='dir'>
	  <name>default</name>
	  <target><path>/var/lib/libvirt/images</path></target>
	</pool>
END
ln -s /etc/libvirt/storage/default.xml "$root/etc/libvirt/storage/autostart/default.xml"

cp "$root"/boot/vmlinuz-* "$folder/kernel"
cp "$root"/boot/initrd.img-* "$folder/initrd"
truncate --size=4G "$folder/disk.raw"
mkfs.ext4 -q -F -L server -d "$root" "$folder/disk.raw"
rm -rf "$root"
