#!/bin/bash
# mysql-pair-setup FOLDER [DISK] makes the folder what a pair's server starts from: the data disk is mounted there, and an
# empty one gets a file system, a server without data, and the accounts of /etc/mysql-pair/init.sql. What is there is kept.
set -euo pipefail

folder=$1 disk=${2:-} user=${MYSQL_USER:-mysql}

mkdir -p "$folder"

if [ -n "$disk" ] && ! mountpoint -q "$folder"; then
	# 2 says that there is nothing on it; anything else, such as a disk that cannot be read, must not end in a new file system.
	found=0
	blkid --probe "$disk" >/dev/null || found=$?
	case $found in
	0) ;;
	2) mkfs.ext4 -q -L mysql "$disk" ;;
	*)
		echo "Unable to tell what is on $disk: blkid ended with $found." >&2
		exit 1
		;;
	esac
	mount -o noatime "$disk" "$folder"
	resize2fs "$disk" 2>/dev/null # it may have grown
fi

install -d -m 700 "$folder/pair"
[ ! -e "$folder/data" ] || exit 0

# Under another name until it is whole.
rm -rf "$folder/data.new"
install -d -m 700 -o "$user" "$folder/data.new"
mariadb-install-db --no-defaults --datadir="$folder/data.new" --user="$user" \
	--auth-root-authentication-method=socket --auth-root-socket-user=root --skip-test-db >/dev/null
mariadbd --no-defaults --datadir="$folder/data.new" --user="$user" --bootstrap <"${INIT:-/etc/mysql-pair/init.sql}"
sync -f "$folder/data.new"
mv "$folder/data.new" "$folder/data"
sync -f "$folder"
