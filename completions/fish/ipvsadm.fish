# fish completion for ipvsadm(8), ipvsadm-save(8) and ipvsadm-restore(8).
#
# Each row: spellings|argument|slots|exclusive|values|metavar|help. A command offers the options of its slots, each slot
# once; of those in "exclusive" one.

# -- made by script/completions --
set -g __ipvsadm_verbs \
    '--add-service -A|none|service-address scheduler persistent netmask ops pe sched-flags ipv6 netns sandbox||||add a virtual service' \
    '--edit-service -E|none|service-address scheduler persistent netmask ops pe sched-flags ipv6 netns sandbox||||give a virtual service new settings; those left out return to their defaults' \
    '--delete-service -D|none|service-address ipv6 netns sandbox||||delete a virtual service and its servers' \
    '--clear -C|none|netns sandbox||||delete everything' \
    '--restore -R|none|no-rollback netns sandbox||||carry out the commands on standard input, all or none' \
    '--save -S|none|numeric netns sandbox||||print the commands that make this table' \
    '--add-server -a|none|service-address real-server forwarding-method weight u-threshold l-threshold tun-type tun-port tun-nocsum tun-csum tun-remcsum ipv6 netns sandbox||||add a real server to a virtual service' \
    '--edit-server -e|none|service-address real-server forwarding-method weight u-threshold l-threshold tun-type tun-port tun-nocsum tun-csum tun-remcsum ipv6 netns sandbox||||give a real server new settings; those left out return to their defaults' \
    '--delete-server -d|none|service-address real-server ipv6 netns sandbox||||delete a real server from a virtual service' \
    '--list -L -l|none|numeric connection service-address syncid timeout daemon stats rate thresholds persistent-conn nosort exact tun-info ipv6 sort format netns sandbox|connection service-address timeout daemon|||show the table, one service, connections, timeouts or daemons' \
    '--zero -Z|none|service-address ipv6 netns sandbox||||reset the counters of one service, or all counters' \
    '--set|none|netns sandbox||||set the timeouts of connections, in seconds; 0 keeps one' \
    '--start-daemon|required|syncid mcast-interface mcast-group mcast-port mcast-ttl sync-maxlen netns sandbox||master backup|master or backup|start a daemon that synchronises connections' \
    '--stop-daemon|required|syncid netns sandbox||master backup|master or backup|stop that daemon' \
    '--help -h|none|||||print this text' \
    '--version -v|none|||||print the version'
set -g __ipvsadm_options \
    '--numeric -n|none|numeric||||show addresses and ports as numbers' \
    '--connection -c|none|connection||||show connections' \
    '--tcp-service -t|required|service-address|||HOST[:PORT]|a TCP service' \
    '--udp-service -u|required|service-address|||HOST[:PORT]|a UDP service' \
    '--sctp-service|required|service-address|||HOST[:PORT]|an SCTP service' \
    '--fwmark-service -f|required|service-address|||MARK|packets with this firewall mark, 1 or more' \
    '--ipv6 -6|none|ipv6||||after -f: the marked packets are IPv6' \
    '--scheduler -s|required|scheduler||dh fo lblc lblcr lc mh none nq ovf rr sed sh twos wlc wrr|NAME|rr, wrr, lc, wlc (default), lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, or another' \
    '--persistent -p|optional|persistent|||SECONDS|keep a client with its server, so long after it left (default 360)' \
    '--netmask -M|required|netmask|||MASK|which clients count as one: a mask, for IPv6 a prefix length' \
    '--real-server -r|required|real-server|||HOST[:PORT]|the server; its port defaults to the service\'s' \
    '--gatewaying -g|none|forwarding-method||||route packets to it unchanged (default)' \
    '--ipip -i|none|forwarding-method||||tunnel packets to it' \
    '--masquerading -m|none|forwarding-method||||translate addresses (NAT)' \
    '--weight -w|required|weight|||NUMBER|its share of the work (default 1); 0 gives it no new connections' \
    '--u-threshold -x|required|u-threshold|||NUMBER|connections at which it gets no more; 0 is no limit' \
    '--l-threshold -y|required|l-threshold|||NUMBER|connections below which it gets some again' \
    '--mcast-interface|required|mcast-interface|||INTERFACE|where to send or listen (default eth0)' \
    '--timeout|none|timeout||||show the timeouts of connections' \
    '--daemon|none|daemon||||show the daemons that synchronise connections' \
    '--stats|none|stats||||show what has been counted' \
    '--rate|none|rate||||show how much it is a second' \
    '--thresholds|none|thresholds||||show the servers\' limits of connections' \
    '--persistent-conn|none|persistent-conn||||show persistent connections; with -c, what the persistence engine knows' \
    '--nosort|none|nosort||||leave the kernel\'s order' \
    '--syncid|required|syncid|||ID|which daemons belong together, 0 to 255 (default 0)' \
    '--exact|none|exact||||print counters in full' \
    '--ops -o|none|ops||||schedule each datagram anew; for UDP and marks' \
    '--pe|required|pe||sip|NAME|persistence engine, such as sip' \
    '--sched-flags -b|required|sched-flags||flag-1 flag-2 flag-3 mh-fallback mh-port sh-fallback sh-port|FLAG,...|sh-port, sh-fallback, mh-port, mh-fallback, flag-1, flag-2, flag-3' \
    '--mcast-group|required|mcast-group|||ADDRESS|multicast address (default 224.0.0.81)' \
    '--mcast-port|required|mcast-port|||PORT|UDP port (default 8848)' \
    '--mcast-ttl|required|mcast-ttl|||TTL|hops that messages travel (default 1)' \
    '--sync-maxlen|required|sync-maxlen|||BYTES|length of messages (default: what the interface\'s MTU allows)' \
    '--tun-info|none|tun-info||||show how servers\' tunnels are made' \
    '--tun-type|required|tun-type||ipip gue gre|TYPE|with -i: ipip (default), gue or gre' \
    '--tun-port|required|tun-port|||PORT|port that a gue tunnel leads to' \
    '--tun-nocsum|none|tun-nocsum||||no checksums in a gue or gre tunnel (default)' \
    '--tun-csum|none|tun-csum||||checksums in a gue or gre tunnel' \
    '--tun-remcsum|none|tun-remcsum||||remote checksums in a gue tunnel' \
    '--sort|none|sort||||nothing: it is done anyway'
set -g __ipvsadm_own \
    '--netns|required|netns|||NAME|work on the table of this network namespace' \
    '--sandbox|required|sandbox|||FILE|work on a table kept in this file, not the kernel\'s' \
    '--format|required|format||classic table json|FORM|how to list: classic, table or json' \
    '--no-rollback|none|no-rollback||||with -R: go on after a refusal, and keep what was done'
# -- end --

# Prints the row of the tables $argv[2..] that has the spelling $argv[1].
function __ipvsadm_find
    string match -r -- '^(?:[^|]* )?'(string escape --style=regex -- $argv[1])'[ |].*' $argv[2..]
end

# Prints the field $argv[1] of the row $argv[2].
function __ipvsadm_field
    string split -f $argv[1] -- '|' $argv[2]
end

# Sets __ipvsadm_given to the options before the cursor as "--long=argument", __ipvsadm_verb to the command's row,
# __ipvsadm_pending to the row of what the word at the cursor is the argument of.
function __ipvsadm_read
    set -l words (commandline -opc)
    test "$words" = "$__ipvsadm_line"; and return
    set -g __ipvsadm_line "$words"
    set -g __ipvsadm_given
    set -g __ipvsadm_verb
    set -g __ipvsadm_pending
    set -l argument none
    set -l row
    for word in $words[2..]
        if test $argument = required; or test $argument = optional -a (string sub -l 1 -- $word) != -
            set __ipvsadm_given[-1] $__ipvsadm_given[-1]$word
            set argument none
            continue
        end
        set argument none
        set -l parts (string split -m 1 = -- $word)
        switch $word
            case '--*'
                __ipvsadm_meet $parts[1]; or continue
                set -q parts[2]; and set __ipvsadm_given[-1] $__ipvsadm_given[-1]$parts[2]; and set argument none
            case '-?*'
                set -l letters (string sub -s 2 -- $word)
                while test -n "$letters"
                    __ipvsadm_meet -(string sub -l 1 -- $letters); or break
                    set letters (string sub -s 2 -- $letters)
                    if test -n "$letters" -a $argument != none
                        set __ipvsadm_given[-1] $__ipvsadm_given[-1](string replace -r '^=' '' -- $letters)
                        set argument none
                        break
                    end
                end
        end
    end
    test $argument = required; and set __ipvsadm_pending $row
    return 0
end

# Notes the option or command $argv[1] for __ipvsadm_read.
function __ipvsadm_meet -S
    set -l rows $__ipvsadm_options $__ipvsadm_own
    test -z "$__ipvsadm_verb"; and set -p rows $__ipvsadm_verbs
    set row (__ipvsadm_find $argv[1] $rows); or return
    set argument (__ipvsadm_field 2 $row)
    set -a __ipvsadm_given (string match -r '^--[^ |]*' -- $row)=
    contains -- $row $__ipvsadm_verbs; and set __ipvsadm_verb $row
    return 0
end

function __ipvsadm_has_no_verb
    __ipvsadm_read
    test -z "$__ipvsadm_verb" -o "$__ipvsadm_pending" = "$__ipvsadm_verb"
end

# Tells whether an option of the slot $argv[1] can be typed now.
function __ipvsadm_takes
    __ipvsadm_has_no_verb; and return 1
    string match -q -- "*|*|$argv[1]|*" "$__ipvsadm_pending"; and return
    contains -- $argv[1] (__ipvsadm_field 3 $__ipvsadm_verb | string split ' '); or return
    set -l alone (__ipvsadm_field 4 $__ipvsadm_verb | string split ' ')
    for given in $__ipvsadm_given
        set -l row (__ipvsadm_find (string split -f 1 = -- $given) $__ipvsadm_options $__ipvsadm_own); or continue
        set -l slot (__ipvsadm_field 3 $row)
        test $slot = $argv[1]; and return 1
        contains -- $slot $alone; and contains -- $argv[1] $alone; and return 1
    end
    test $argv[1] != ipv6; or string match -q -- '--fwmark-service=*' $__ipvsadm_given
end

# Prints what the table holds, as the commands that make it.
function __ipvsadm_table
    __ipvsadm_read
    set -l words (commandline -opc)
    command $words[1] -S -n (string match -r -- '^--(?:netns|sandbox)=.*' $__ipvsadm_given) 2>/dev/null
end

# Prints the virtual services of the kind that one of the options given names.
function __ipvsadm_services
    set -l table (__ipvsadm_table)
    string match -q -- '--add-service*' $__ipvsadm_verb; and return
    for line in $table
        set -l parts (string split ' ' -- $line)
        test $parts[1] = -A; and contains -- $parts[2] $argv; and echo -- $parts[3]
    end
end

# Prints the real servers of the service typed so far; where one is to be added, those of the others.
function __ipvsadm_servers
    set -l table (__ipvsadm_table)
    set -l service (string match -rg -- '^--(?:tcp|udp|sctp|fwmark)-service=(.*)' $__ipvsadm_given)
    set -l wanted 0
    string match -q -- '--add-server *' $__ipvsadm_verb; and set wanted 1
    for line in $table
        set -l parts (string match -rg -- '^-a \S+ (\S+) .*?-r (\S+)' $line); or continue
        test "$parts[1]" = "$service"
        test $status = $wanted; and echo -- $parts[2]
    end | sort -u
end

# Prints the list of flags typed so far, with each of $argv at its end.
function __ipvsadm_flags
    set -l before (commandline -ct | string replace -r -- '^(--sched-flags=|-b)' '' | string match -r -- '.*,')
    printf '%s\n' "$before"$argv
end

# Declares the options or commands of the rows $argv[2..], to be offered on the condition $argv[1] (%: the slot).
function __ipvsadm_declare
    for row in $argv[2..]
        set -l parts (string split '|' -- $row)
        set -l spellings (string split ' ' -- $parts[1])
        set -l words $parts[5]
        switch $spellings[1]
            case --tcp-service --udp-service --sctp-service --fwmark-service
                set words "(__ipvsadm_services $spellings)"
            case --real-server
                set words '(__ipvsadm_servers)'
            case --mcast-interface
                set words '(path basename /sys/class/net/*)'
            case --netns
                set words '(ip netns list 2>/dev/null | string split -f 1 " ")'
            case --sched-flags
                set words "(__ipvsadm_flags $words)"
        end
        set -l shape -f
        test $parts[2] = required; and set shape -x
        test $spellings[1] = --sandbox; and set shape -r
        set -l short (string replace -rf -- '^-(.)$' '-s$1' $spellings)
        complete -c ipvsadm -n (string replace % $parts[3] $argv[1]) -l (string sub -s 3 -- $spellings[1]) \
            $short $shape -a "$words" -d $parts[7]
    end
end

complete -c ipvsadm -f
__ipvsadm_declare __ipvsadm_has_no_verb $__ipvsadm_verbs $__ipvsadm_own
__ipvsadm_declare '__ipvsadm_takes %' $__ipvsadm_options $__ipvsadm_own

for script in ipvsadm-save ipvsadm-restore
    complete -c $script -f
    complete -c $script -l netns -x -a '(ip netns list 2>/dev/null | string split -f 1 " ")' -d 'network namespace'
    complete -c $script -l sandbox -r -F -d 'file that holds a table'
end
complete -c ipvsadm-save -s n -d 'keep addresses and ports as numbers'
complete -c ipvsadm-restore -l no-rollback -d 'go on after a refusal, and keep what was done'
