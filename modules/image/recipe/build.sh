#!/usr/bin/env bash
# build.sh makes the guest image: debian-12.tar for containers and debian-12.qcow2 for machines.
#
#   build.sh --output=FOLDER --consul=SOURCE --traefik=SOURCE --mysql-pair=SOURCE [--kong[=SOURCE]] [--mirror=URL] [--containers-only]
#
# A SOURCE is a file, or an address with its checksum: https://.../consul_1.22.7_linux_amd64.zip#sha256=0123... . Programs are
# taken out of .zip and .tar.gz archives. --kong alone takes Kong's own package at the version that is pinned below.
# --containers-only makes no disk, and leaves out what only a machine with a disk needs: its kernel.
set -euo pipefail

recipe=$(cd "$(dirname "$0")" && pwd)

# Kong's package for Debian 12 and its checksum, as Kong's own container image is made of:
# https://github.com/Kong/docker-kong/blob/master/debian/Dockerfile
kong_default='https://packages.konghq.com/public/gateway-39/deb/debian/pool/bookworm/main/k/ko/kong_3.9.1/kong_3.9.1_amd64.deb#sha256=34857a1b61e3c4b64b1e0529d8582a49ec19bc36f5b787bb63b41874e53c156a'

fail() {
	echo "Unable to build the image: $*" >&2
	exit 1
}

output='' consul='' traefik='' pair='' kong='' mirror='' disk=yes
for argument in "$@"; do
	case $argument in
	--output=*) output=${argument#*=} ;;
	--consul=*) consul=${argument#*=} ;;
	--traefik=*) traefik=${argument#*=} ;;
	--mysql-pair=*) pair=${argument#*=} ;;
	--kong) kong=$kong_default ;;
	--kong=*) kong=${argument#*=} ;;
	--mirror=*) mirror=${argument#*=} ;;
	--containers-only) disk=no ;;
	*) fail "there is no option $argument. See the head of $0." ;;
	esac
done

for needed in "output=$output" "consul=$consul" "traefik=$traefik" "mysql-pair=$pair"; do
	[ -n "${needed#*=}" ] || fail "--${needed%%=*} is missing. See the head of $0."
done

[ "$(id -u)" -eq 0 ] || fail 'it mounts a disk and makes a root file system, and needs root.'
for program in mmdebstrap $([ $disk = no ] || echo extlinux mkfs.ext4 qemu-img); do
	command -v "$program" >/dev/null || fail "there is no $program. Install mmdebstrap, extlinux, e2fsprogs and qemu-utils."
done

mkdir -p "$output"
work=$(mktemp -d "$output/.build-XXXXXX")
trap 'mountpoint -q "$work/disk" && umount "$work/disk"; rm -rf "$work"' EXIT

# fetch SOURCE NAME puts a program or a package into the work folder.
fetch() {
	local source=$1 name=$2 file=$work/$2.fetched address=${1%%#*}

	case $source in
	https://*#sha256=* | http://*#sha256=*)
		curl --fail --silent --show-error --location --output "$file" "$address" || fail "$address was not answered."
		echo "${source##*#sha256=}  $file" | sha256sum --check --status ||
			fail "$address has the checksum $(sha256sum "$file" | cut -d' ' -f1), not ${source##*#sha256=}. Somebody changed it, or the checksum is wrong."
		;;
	https://* | http://*) fail "$source has no checksum. Append #sha256=..., as its publisher gives it." ;;
	*)
		[ -f "$source" ] || fail "there is no file $source."
		file=$source
		;;
	esac

	case $address in
	*.zip) busybox unzip -p "$file" "$name" >"$work/$name" || fail "$address holds no $name." ;;
	*.tar.gz) tar --extract --gzip --to-stdout --file "$file" "$name" >"$work/$name" || fail "$address holds no $name." ;;
	*) cp "$file" "$work/$name" ;;
	esac
}

fetch "$consul" consul
fetch "$traefik" traefik
fetch "$pair" mysql-pair
[ -z "$kong" ] || fetch "$kong" kong.deb

packages=$(awk -v disk="$disk" '/^#/ { wanted = disk == "yes" || $0 != "# machines on disks"; next } wanted' "$recipe/packages" | tr --squeeze-repeats ' \n' ',' | sed 's/^,//; s/,$//')

mmdebstrap --quiet --variant=minbase --include="$packages" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
	--customize-hook="'$recipe/customize.sh' \"\$1\" '$work'" \
	--format=directory bookworm "$work/root" ${mirror:+"$mirror"}

# Containers have the host's kernel.
tar --create --numeric-owner --xattrs --directory "$work/root" --exclude=./boot/* --exclude=./usr/lib/modules/* --exclude=./dev/* \
	--file "$work/debian-12.tar" .

images=("$work/debian-12.tar")
if [ "$disk" = yes ]; then
	"$recipe/disk.sh" "$work/root" "$work/disk" "$work/debian-12.qcow2"
	images+=("$work/debian-12.qcow2")
fi

# All at once and at the end: whoever reads the folder meanwhile has the last image.
mv "${images[@]}" "$output"
(cd "$output" && ls -l --human-readable "${images[@]##*/}")
