#!/bin/sh
# First program of the guest: builds a fast, writable view of the host's root and runs one command in it.
#
# usage: inside.sh MODULES COMMAND...
#   MODULES  directory of the host that holds the kernel's modules (lib/modules/VERSION)
# The host exports two 9p file systems: "hostroot" (its /, read-only) and "share" (writable, /share inside).
# Boot's own root is 9p without a cache; mounted again with one, Python starts ten times faster.
set -eu
modules=$1
shift

new=/run/guest
mkdir -p $new
mount -t tmpfs tmpfs $new
mkdir $new/lower $new/upper $new/work $new/root
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro,msize=512000 hostroot $new/lower
mount -t overlay -o lowerdir=$new/lower,upperdir=$new/upper,workdir=$new/work overlay $new/root
root=$new/root
for dir in proc sys dev run tmp share; do mkdir -p $root/$dir; done
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount --rbind /dev $root/dev
mount -t tmpfs tmpfs $root/run
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 share $root/share
version=$(uname -r)
mkdir -p "$root/lib/modules/$version"
mount --bind "$new/lower$modules" "$root/lib/modules/$version"

# The kernel loads schedulers on demand in boot's root, which has no modules: send it here.
printf '#!/bin/sh\nexec chroot %s /sbin/modprobe "$@"\n' $root >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe

# No network outside: a name that is in no file has to fail at once.
printf 'hosts: files\nservices: files\nprotocols: files\nnetworks: files\npasswd: files\ngroup: files\n' >$root/etc/nsswitch.conf
printf '127.0.0.1 localhost\n::1 localhost\n' >$root/etc/hosts
ip link set lo up

exec chroot $root /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb "$@"
