#!/bin/sh
# Makes refusals.txt: what Debian's ipvsadm says to each errno in answer to each of its requests.
# Run as root in a fresh network namespace of a kernel with IPVS; $1 is refusals.c as a shared object:
#   cc -shared -fPIC -o refusals.so refusals.c && unshare -n ./refusals.sh ./refusals.so > refusals.txt
set -e
ip link set lo up
printf '# Made by refusals.sh with %s on Linux %s.\n' "$(ipvsadm -v | cut -d' ' -f1,2)" "$(uname -r)"
printf '# operation\terrno\ttext\n'
say() { # shared object, line of ipvsadm -R, operation
    for _ in $(seq 133); do echo "$2"; done |
        { LD_PRELOAD=$1 ipvsadm -R 2>&1 || true; } | awk -v OFS='\t' -v operation="$3" '{ print operation, NR, $0 }'
}
say "$1" '-A -t 1.1.1.1:80' 'add service'
say "$1" '-E -t 1.1.1.1:80' 'edit service'
say "$1" '-D -t 1.1.1.1:80' 'delete service'
say "$1" '-a -t 1.1.1.1:80 -r 1.1.1.2' 'add server'
say "$1" '-e -t 1.1.1.1:80 -r 1.1.1.2' 'edit server'
say "$1" '-d -t 1.1.1.1:80 -r 1.1.1.2' 'delete server'
say "$1" '-C' 'clear'
say "$1" '-Z' 'zero counters'
say "$1" '--set 1 1 1' 'set timeouts'
say "$1" '--start-daemon master --mcast-interface lo' 'start daemon'
say "$1" '--stop-daemon master' 'stop daemon'
