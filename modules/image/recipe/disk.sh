#!/usr/bin/env bash
# disk.sh ROOT MOUNTPOINT IMAGE makes a bootable qcow2 of a root file system: one ext4 on the whole disk, which grows with the
# disk at each boot, and extlinux.
set -euo pipefail

root=$1 disk=$2 image=$3
raw=$disk.raw

truncate --size=4G "$raw"
# extlinux does not know these two features.
mkfs.ext4 -q -F -L root -O '^metadata_csum_seed,^orphan_file' "$raw" 2>/dev/null || mkfs.ext4 -q -F -L root -O '^64bit,^metadata_csum' "$raw"
mkdir -p "$disk"
mount -o loop "$raw" "$disk"
cp --archive "$root/." "$disk"

echo 'LABEL=root / ext4 rw,noatime,discard,errors=remount-ro,x-systemd.growfs 0 1' >"$disk/etc/fstab"

# An initramfs of what virtual machines boot from, and of nothing else.
sed --in-place 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/' "$disk/etc/initramfs-tools/initramfs.conf"
printf '%s\n' virtio_pci virtio_blk virtio_scsi virtio_net ext4 >"$disk/etc/initramfs-tools/modules"
chroot "$disk" update-initramfs -u

kernel=$(basename "$(echo "$disk"/boot/vmlinuz-*)")
mkdir -p "$disk/boot/extlinux"
cat >"$disk/boot/extlinux/extlinux.conf" <<-END
	DEFAULT linux
	PROMPT 0
	TIMEOUT 0
	LABEL linux
	  KERNEL /boot/$kernel
	  INITRD /boot/${kernel/vmlinuz/initrd.img}
	  APPEND root=LABEL=root ro console=tty0 console=ttyS0,115200 quiet
END
extlinux --install "$disk/boot/extlinux" 2>/dev/null

umount "$disk"
qemu-img convert -f raw -O qcow2 -c -o compression_type=zstd "$raw" "$image"
rm "$raw"
