# fish completion for iptables(8), iptables-save(8), iptables-restore(8) and their like.
#
# Rows of options: spellings|argument|commands|operands|values|help. "commands" are the letters of those that take the
# option, "=" stands for what is a command. Rows of extensions: kind name|families|protocols|summary; of their options:
# spellings|families|kind name|words|excluded|values|metavar.

# -- made by script/completions --
set -g __iptables_own \
    '-A --append|1|=|CHAIN||add the rule at the end of a chain' \
    '-D --delete|1|=|CHAIN [NUMBER]||delete the first such rule, or the one with this number' \
    '-C --check|1|=|CHAIN||tell by the exit status whether there is such a rule' \
    '-I --insert|1|=|CHAIN [NUMBER]||add the rule before the one with this number (default 1)' \
    '-R --replace|1|=|CHAIN NUMBER||put the rule in the place of another' \
    '-L --list|?|=|[CHAIN [NUMBER]]||list the rules of a chain, or of all' \
    '-S --list-rules|?|=|[CHAIN [NUMBER]]||print the rules of a chain, or of all, as commands' \
    '-F --flush|?|=|[CHAIN]||delete all rules of a chain, or of all' \
    '-Z --zero|?|=|[CHAIN [NUMBER]]||set counters to zero' \
    '-N --new-chain|1|=|CHAIN||make a chain' \
    '-X --delete-chain|?|=|[CHAIN]||delete an empty chain, or all that are not built in' \
    '-E --rename-chain|1|=|OLD NEW||give a chain another name' \
    '-P --policy|1|=|CHAIN VERDICT||what becomes of packets at the end of a built-in chain: ACCEPT or DROP' \
    '-s --source --src|1|ADCIR|HOST[/MASK][,...]||where packets come from' \
    '-d --destination --dst|1|ADCIR|HOST[/MASK][,...]||where they go to' \
    '-p --protocol|1|ADCIR|PROTOCOL|tcp sctp udp udplite icmp ipv6-icmp icmpv6 esp ah mobility-header ipv6-mh mh all|tcp, udp, icmp or another, by name or number' \
    '-i --in-interface|1|ADCIR|NAME[+]||where they came in; with +, all interfaces that begin so' \
    '-o --out-interface|1|ADCIR|NAME[+]||where they go out' \
    '-f --fragments||ADCIR|||fragments but the first' \
    '-m --match|1|ACDIR|NAME||use a match; its options may follow' \
    '-j --jump|1|ADCIR|TARGET|ACCEPT DROP QUEUE RETURN|what to do: ACCEPT, DROP, RETURN, a chain, or a target; its options may follow' \
    '-g --goto|1|ADCIR|CHAIN||go on in a chain, and do not come back' \
    '-c --set-counters|1|AIRP|PACKETS BYTES||the counters to begin with' \
    '-t --table|1||TABLE|filter nat mangle raw security|filter (default), nat, mangle, raw or security' \
    '-n --numeric||L|||list addresses and ports as numbers' \
    '-x --exact||L|||list counters in full' \
    '--line-numbers||L|||list rules with their numbers' \
    '-v --verbose|||||list counters and interfaces; say what is done' \
    '-w --wait|?||[SECONDS]||wait for other programs that change tables (default: for ever)' \
    '-W --wait-interval|?||[MICROSECONDS]||taken for the sake of old scripts' \
    '-M --modprobe|1||COMMAND||taken for the sake of old scripts' \
    '-4 --ipv4|||||in a dump: a line for iptables-restore alone' \
    '-6 --ipv6|||||in a dump: a line for ip6tables-restore alone' \
    '-h --help|?||||print this text, and that of what -p, -m and -j named before' \
    '-V --version|||||print the version' \
    '--format|1|LS|FORM|classic table json|list as classic text, table or json' \
    '--netns|1||NAME||work on the tables of this network namespace' \
    '--sandbox|1||FILE||work on tables kept in this file, not the kernel\'s'
set -g __iptables_extensions \
    'match addrtype|4 6|addrtype|the routing type of addresses' \
    'match ah|4 6|ah|SPIs of AH' \
    'match bpf|4 6|bpf|what a BPF program says' \
    'match cgroup|4 6|cgroup|the control group a packet belongs to' \
    'match cluster|4 6|cluster|packets that this node of a cluster takes' \
    'match comment|4 6|comment|a note, for people' \
    'match connbytes|4 6|connbytes|bytes or packets of the connection' \
    'match connlabel|4 6|connlabel|labels of the connection' \
    'match connlimit|4 6|connlimit|connections of a host or network' \
    'match connmark|4 6|connmark|mark of the connection' \
    'match conntrack|4 6|conntrack|state, addresses and more of the connection' \
    'match cpu|4 6|cpu|CPU that handles the packet' \
    'match dccp|4 6|dccp|ports, packet types and options of DCCP' \
    'match devgroup|4 6|devgroup|groups of the devices' \
    'match dscp|4 6|dscp|the differentiated services codepoint' \
    'match dst|6|dst|the Destination Options header' \
    'match ecn|4 6|ecn|explicit congestion notification' \
    'match esp|4 6|esp|SPIs of ESP' \
    'match eui64|6|eui64|a source address made from the MAC address' \
    'match frag|6|frag|the Fragment header' \
    'match hashlimit|4 6|hashlimit|a limited rate for each address or port' \
    'match hbh|6|hbh|the Hop-by-Hop Options header' \
    'match helper|4 6|helper|helper of the connection' \
    'match hl|6|hl|the hop limit' \
    'match icmp|4|icmp|type and code of ICMP' \
    'match icmp6|6|icmp6 icmpv6 ipv6-icmp|type and code of ICMPv6' \
    'match ipcomp|4 6|ipcomp|SPIs of IPComp' \
    'match iprange|4 6|iprange|ranges of addresses' \
    'match ipv6header|6|ipv6header|which headers a packet has' \
    'match ipvs|4 6|ipvs|what IPVS knows of the packet\'s connection' \
    'match length|4 6|length|the packet\'s length' \
    'match limit|4 6|limit|not more often than so many times a second, minute, hour or day' \
    'match mac|4 6|mac|the Ethernet address a packet comes from' \
    'match mark|4 6|mark|mark of the packet' \
    'match mh|6|mh|types of messages of Mobile IPv6' \
    'match multiport|4 6|multiport|a list of ports' \
    'match nfacct|4 6|nfacct|count packets in an object of nfacct' \
    'match osf|4|osf|the operating system a connection is begun by' \
    'match owner|4 6|owner|the user or group a packet comes from' \
    'match physdev|4 6|physdev|the ports of a bridge' \
    'match pkttype|4 6|pkttype|whom a packet of the link layer is for' \
    'match policy|4 6|policy|the IPsec policy of a packet' \
    'match quota|4 6|quota|until so many bytes have passed' \
    'match rateest|4 6|rateest|what rate estimators say' \
    'match realm|4|realm|the routing realm' \
    'match recent|4 6|recent|lists of addresses that were seen' \
    'match rpfilter|4 6|rpfilter|whether an answer would go back the way the packet came' \
    'match rt|6|rt|the Routing header' \
    'match sctp|4 6|sctp|ports and chunks of SCTP' \
    'match set|4 6|set|addresses and ports in a set of ipset' \
    'match socket|4 6|socket|whether there is a socket for the packet' \
    'match srh|6|srh|the Segment Routing header' \
    'match state|4 6|state|state of the connection' \
    'match statistic|4 6|statistic|at random, or one of so many' \
    'match string|4 6|string|a string of bytes' \
    'match tcp|4 6|tcp|ports, flags and options of TCP' \
    'match tcpmss|4 6|tcpmss|the segment size that a SYN announces' \
    'match time|4 6|time|the date and the time of day' \
    'match tos|4 6|tos|the type of service, or traffic class' \
    'match ttl|4|ttl|the time to live' \
    'match u32|4 6|u32|numbers anywhere in the packet' \
    'match udp|4 6|udp|ports of UDP' \
    'target AUDIT|4 6||make an audit record' \
    'target CHECKSUM|4 6||fill in the checksum' \
    'target CLASSIFY|4 6||set the class of traffic control' \
    'target CLUSTERIP|4||share an address in a cluster' \
    'target CONNMARK|4 6||mark the connection, or copy marks' \
    'target CONNSECMARK|4 6||copy security marks between packet and connection' \
    'target CT|4 6||set how the connection is tracked' \
    'target DNAT|4 6||change the destination' \
    'target DNPT|6||change the destination\'s prefix' \
    'target DSCP|4 6||set the DSCP' \
    'target ECN|4||remove or set ECN bits' \
    'target HL|6||change the hop limit' \
    'target HMARK|4 6||mark the packet with a hash' \
    'target IDLETIMER|4 6||tell when nothing has come by' \
    'target LED|4 6||light an LED' \
    'target LOG|4 6||write the packet to the kernel\'s log' \
    'target MARK|4 6||mark the packet' \
    'target MASQUERADE|4 6||change the source to our own address' \
    'target NETMAP|4 6||change the network part of an address' \
    'target NFLOG|4 6||hand the packet to a logger, by netlink' \
    'target NFQUEUE|4 6||hand the packet to a program that decides' \
    'target NOTRACK|4 6||do not track the packet\'s connection' \
    'target RATEEST|4 6||estimate the rate of packets' \
    'target REDIRECT|4 6||change the destination to our own address' \
    'target REJECT|4 6||refuse, and say so' \
    'target SECMARK|4 6||set the packet\'s security mark' \
    'target SET|4 6||add to a set, delete from it, mark as it says' \
    'target SNAT|4 6||change the source' \
    'target SNPT|6||change the source\'s prefix' \
    'target SYNPROXY|4 6||answer new TCP connections' \
    'target TCPMSS|4 6||change the MSS of TCP' \
    'target TCPOPTSTRIP|4 6||strip TCP options' \
    'target TEE|4 6||send a copy to another host' \
    'target TOS|4 6||set the TOS byte or the traffic class' \
    'target TPROXY|4 6||hand packets to a local socket' \
    'target TRACE|4 6||log every rule the packet matches' \
    'target TTL|4||change the TTL' \
    'target ULOG|4||hand the packet to ulogd'
set -g __iptables_options \
    '--src-type|4 6|match addrtype|1|||TYPE[,TYPE...]' \
    '--dst-type|4 6|match addrtype|1|||TYPE[,TYPE...]' \
    '--limit-iface-in|4 6|match addrtype|0|--limit-iface-out||' \
    '--limit-iface-out|4 6|match addrtype|0|||' \
    '--ahspi|4|match ah|1|||NUMBER[:NUMBER]' \
    '--ahspi|6|match ah|1|||NUMBER[:NUMBER]' \
    '--ahlen|6|match ah|1|||NUMBER' \
    '--ahres|6|match ah|0|||' \
    '--bytecode|4 6|match bpf|1|||COUNT,CODE JT JF K[,...]' \
    '--object-pinned|4 6|match bpf|1|--bytecode||PATH' \
    '--path|4 6|match cgroup|1|||PATH' \
    '--cgroup|4 6|match cgroup|1|||CLASSID' \
    '--cluster-local-nodemask|4 6|match cluster|1|||NUMBER' \
    '--cluster-local-node|4 6|match cluster|1|--cluster-local-nodemask||NUMBER' \
    '--cluster-total-nodes|4 6|match cluster|1|||NUMBER' \
    '--cluster-hash-seed|4 6|match cluster|1|||NUMBER' \
    '--comment|4 6|match comment|1|||TEXT' \
    '--connbytes|4 6|match connbytes|1|||FROM[:TO]' \
    '--connbytes-mode|4 6|match connbytes|1||packets bytes avgpkt|packets/bytes/avgpkt' \
    '--connbytes-dir|4 6|match connbytes|1||original reply both|original/reply/both' \
    '--label|4 6|match connlabel|1|||LABEL' \
    '--set|4 6|match connlabel|0|||' \
    '--connlimit-upto|4 6|match connlimit|1|--connlimit-above||NUMBER' \
    '--connlimit-above|4 6|match connlimit|1|||NUMBER' \
    '--connlimit-mask|4 6|match connlimit|1|||PREFIX' \
    '--connlimit-saddr|4 6|match connlimit|0|--connlimit-daddr||' \
    '--connlimit-daddr|4 6|match connlimit|0|||' \
    '--mark|4 6|match connmark|1|||VALUE[/MASK]' \
    '--ctstate|4 6|match conntrack|1||INVALID NEW RELATED ESTABLISHED UNTRACKED SNAT DNAT|WORD[,WORD...]' \
    '--ctproto|4 6|match conntrack|1|||PROTOCOL' \
    '--ctorigsrc|4 6|match conntrack|1|||ADDRESS[/MASK]' \
    '--ctorigdst|4 6|match conntrack|1|||ADDRESS[/MASK]' \
    '--ctreplsrc|4 6|match conntrack|1|||ADDRESS[/MASK]' \
    '--ctrepldst|4 6|match conntrack|1|||ADDRESS[/MASK]' \
    '--ctorigsrcport|4 6|match conntrack|1|||PORT[:PORT]' \
    '--ctorigdstport|4 6|match conntrack|1|||PORT[:PORT]' \
    '--ctreplsrcport|4 6|match conntrack|1|||PORT[:PORT]' \
    '--ctrepldstport|4 6|match conntrack|1|||PORT[:PORT]' \
    '--ctstatus|4 6|match conntrack|1||NONE EXPECTED SEEN_REPLY ASSURED CONFIRMED|WORD[,WORD...]' \
    '--ctexpire|4 6|match conntrack|1|||NUMBER[:NUMBER]' \
    '--ctdir|4 6|match conntrack|1||ORIGINAL REPLY|ORIGINAL/REPLY' \
    '--cpu|4 6|match cpu|1|||NUMBER' \
    '--sport --source-port|4 6|match dccp|1|||PORT[:PORT]' \
    '--dport --destination-port|4 6|match dccp|1|||PORT[:PORT]' \
    '--dccp-types|4 6|match dccp|1||REQUEST RESPONSE DATA ACK DATAACK CLOSEREQ CLOSE RESET SYNC SYNCACK INVALID|TYPE[,TYPE...]' \
    '--dccp-option|4 6|match dccp|1|||NUMBER' \
    '--src-group|4 6|match devgroup|1|||GROUP[/MASK]' \
    '--dst-group|4 6|match devgroup|1|||GROUP[/MASK]' \
    '--dscp|4 6|match dscp|1|||NUMBER' \
    '--dscp-class|4 6|match dscp|1|--dscp|be cs0 cs1 cs2 cs3 cs4 cs5 cs6 cs7 af11 af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 ef|CLASS' \
    '--dst-len|6|match dst|1|||NUMBER' \
    '--dst-opts|6|match dst|1|||TYPE[:LENGTH][,...]' \
    '--ecn-tcp-ece|4 6|match ecn|0|||' \
    '--ecn-tcp-cwr|4 6|match ecn|0|||' \
    '--ecn-ip-ect|4 6|match ecn|1|||NUMBER' \
    '--espspi|4 6|match esp|1|||NUMBER[:NUMBER]' \
    '--fragid|6|match frag|1|||NUMBER[:NUMBER]' \
    '--fraglen|6|match frag|1|||NUMBER' \
    '--fragres|6|match frag|0|||' \
    '--fragfirst|6|match frag|0|||' \
    '--fragmore|6|match frag|0|--fraglast||' \
    '--fraglast|6|match frag|0|--fragmore||' \
    '--hashlimit-upto --hashlimit|4 6|match hashlimit|1|--hashlimit-above||RATE[/second//minute//hour//day]/BYTESb/s' \
    '--hashlimit-above|4 6|match hashlimit|1|||RATE[/second//minute//hour//day]/BYTESb/s' \
    '--hashlimit-burst|4 6|match hashlimit|1|||NUMBER/BYTES' \
    '--hashlimit-mode|4 6|match hashlimit|1||srcip srcport dstip dstport|srcip/srcport/dstip/dstport[,...]' \
    '--hashlimit-name|4 6|match hashlimit|1|||NAME' \
    '--hashlimit-htable-size|4 6|match hashlimit|1|||NUMBER' \
    '--hashlimit-htable-max|4 6|match hashlimit|1|||NUMBER' \
    '--hashlimit-htable-gcinterval|4 6|match hashlimit|1|||MILLISECONDS' \
    '--hashlimit-htable-expire|4 6|match hashlimit|1|||MILLISECONDS' \
    '--hashlimit-srcmask|4 6|match hashlimit|1|||LENGTH' \
    '--hashlimit-dstmask|4 6|match hashlimit|1|||LENGTH' \
    '--hashlimit-rate-match|4 6|match hashlimit|0|||' \
    '--hashlimit-rate-interval|4 6|match hashlimit|1|||SECONDS' \
    '--hbh-len|6|match hbh|1|||NUMBER' \
    '--hbh-opts|6|match hbh|1|||TYPE[:LENGTH][,...]' \
    '--helper|4 6|match helper|1|||NAME' \
    '--hl-eq --hl|6|match hl|1|--hl-gt --hl-lt||NUMBER' \
    '--hl-lt|6|match hl|1|--hl-eq --hl-gt||NUMBER' \
    '--hl-gt|6|match hl|1|--hl-eq --hl-lt||NUMBER' \
    '--icmp-type|4|match icmp|1|||TYPE[/CODE]' \
    '--icmpv6-type|6|match icmp6|1|||TYPE[/CODE]' \
    '--ipcompspi|4 6|match ipcomp|1|||NUMBER[:NUMBER]' \
    '--compres|4 6|match ipcomp|0|||' \
    '--src-range|4 6|match iprange|1|||ADDRESS[-ADDRESS]' \
    '--dst-range|4 6|match iprange|1|||ADDRESS[-ADDRESS]' \
    '--header|6|match ipv6header|1|||HEADER[,HEADER...]' \
    '--soft|6|match ipv6header|0|||' \
    '--ipvs|4 6|match ipvs|0|||' \
    '--vproto|4 6|match ipvs|1|||PROTOCOL' \
    '--vaddr|4 6|match ipvs|1|||ADDRESS[/MASK]' \
    '--vport|4 6|match ipvs|1|||PORT' \
    '--vdir|4 6|match ipvs|1|||ORIGINAL/REPLY' \
    '--vmethod|4 6|match ipvs|1||GATE IPIP MASQ|GATE/IPIP/MASQ' \
    '--vportctl|4 6|match ipvs|1|||PORT' \
    '--length|4 6|match length|1|||NUMBER[:NUMBER]' \
    '--limit|4 6|match limit|1|||RATE[/second//minute//hour//day]' \
    '--limit-burst|4 6|match limit|1|||NUMBER' \
    '--mac-source|4 6|match mac|1|||XX:XX:XX:XX:XX:XX' \
    '--mark|4 6|match mark|1|||VALUE[/MASK]' \
    '--mh-type|6|match mh|1|||TYPE[:TYPE]' \
    '--sports --source-ports|4 6|match multiport|1|--dports --ports||PORT[:PORT][,PORT...]' \
    '--dports --destination-ports|4 6|match multiport|1|--ports --sports||PORT[:PORT][,PORT...]' \
    '--ports|4 6|match multiport|1|--dports --sports||PORT[:PORT][,PORT...]' \
    '--nfacct-name|4 6|match nfacct|1|||NAME' \
    '--genre|4|match osf|1|||NAME' \
    '--ttl|4|match osf|1|||NUMBER' \
    '--log|4|match osf|1|||NUMBER' \
    '--socket-exists|4 6|match owner|0|||' \
    '--uid-owner|4 6|match owner|1|||USER[-USER]' \
    '--gid-owner|4 6|match owner|1|||GROUP[-GROUP]' \
    '--suppl-groups|4 6|match owner|0|||' \
    '--physdev-is-in|4 6|match physdev|0|||' \
    '--physdev-in|4 6|match physdev|1|||NAME[+]' \
    '--physdev-is-out|4 6|match physdev|0|||' \
    '--physdev-out|4 6|match physdev|1|||NAME[+]' \
    '--physdev-is-bridged|4 6|match physdev|0|||' \
    '--pkt-type|4 6|match pkttype|1||unicast broadcast multicast otherhost host bcast mcast|unicast/broadcast/multicast/otherhost' \
    '--dir|4 6|match policy|1||in out|in/out' \
    '--pol|4 6|match policy|1||ipsec none|ipsec/none' \
    '--strict|4 6|match policy|0|||' \
    '--reqid|4 6|match policy|1|||NUMBER' \
    '--spi|4 6|match policy|1|||NUMBER' \
    '--proto|4 6|match policy|1|||ah/esp/ipcomp' \
    '--mode|4 6|match policy|1||transport tunnel|transport/tunnel' \
    '--tunnel-dst|4 6|match policy|1|||ADDRESS[/MASK]' \
    '--tunnel-src|4 6|match policy|1|||ADDRESS[/MASK]' \
    '--next|4 6|match policy|0|||' \
    '--quota|4 6|match quota|1|||BYTES' \
    '--rateest1 --rateest|4 6|match rateest|1|||NAME' \
    '--rateest2|4 6|match rateest|1|||NAME' \
    '--rateest-delta|4 6|match rateest|0|||' \
    '--rateest-lt|4 6|match rateest|0|||' \
    '--rateest-gt|4 6|match rateest|0|||' \
    '--rateest-eq|4 6|match rateest|0|||' \
    '--rateest-bps1|4 6|match rateest|1|||RATE' \
    '--rateest-pps1|4 6|match rateest|1|||NUMBER' \
    '--rateest-bps2 --rateest-bps|4 6|match rateest|1|||RATE' \
    '--rateest-pps2 --rateest-pps|4 6|match rateest|1|||NUMBER' \
    '--realm|4|match realm|1|||REALM[/MASK]' \
    '--set|4 6|match recent|0|--rcheck --remove --update||' \
    '--rcheck|4 6|match recent|0|--remove --set --update||' \
    '--update|4 6|match recent|0|--rcheck --remove --set||' \
    '--remove|4 6|match recent|0|--rcheck --set --update||' \
    '--seconds|4 6|match recent|1|||NUMBER' \
    '--reap|4 6|match recent|0|||' \
    '--hitcount|4 6|match recent|1|||NUMBER' \
    '--rttl|4 6|match recent|0|--remove --set||' \
    '--name|4 6|match recent|1|||NAME' \
    '--mask|4 6|match recent|1|||ADDRESS' \
    '--rsource|4 6|match recent|0|||' \
    '--rdest|4 6|match recent|0|||' \
    '--loose|4 6|match rpfilter|0|||' \
    '--validmark|4 6|match rpfilter|0|||' \
    '--accept-local|4 6|match rpfilter|0|||' \
    '--invert|4 6|match rpfilter|0|||' \
    '--rt-type|6|match rt|1|||NUMBER' \
    '--rt-segsleft|6|match rt|1|||NUMBER[:NUMBER]' \
    '--rt-len|6|match rt|1|||NUMBER' \
    '--rt-0-res|6|match rt|0|||' \
    '--rt-0-addrs|6|match rt|1|||ADDRESS[,...]' \
    '--rt-0-not-strict|6|match rt|0|||' \
    '--sport --source-port|4 6|match sctp|1|||PORT[:PORT]' \
    '--dport --destination-port|4 6|match sctp|1|||PORT[:PORT]' \
    '--chunk-types|4 6|match sctp|2||all any only|all/any/only CHUNK[:FLAGS][,CHUNK...]' \
    '--match-set|4 6|match set|2|||NAME src/dst[,...]' \
    '--set|4 6|match set|2|--match-set||NAME src/dst[,...]' \
    '--return-nomatch|4 6|match set|0|||' \
    '--update-counters|4 6|match set|0|||' \
    '--update-subcounters|4 6|match set|0|||' \
    '--packets-eq|4 6|match set|1|||NUMBER' \
    '--packets-lt|4 6|match set|1|||NUMBER' \
    '--packets-gt|4 6|match set|1|||NUMBER' \
    '--bytes-eq|4 6|match set|1|||NUMBER' \
    '--bytes-lt|4 6|match set|1|||NUMBER' \
    '--bytes-gt|4 6|match set|1|||NUMBER' \
    '--transparent|4 6|match socket|0|||' \
    '--nowildcard|4 6|match socket|0|||' \
    '--restore-skmark|4 6|match socket|0|||' \
    '--srh-next-hdr|6|match srh|1|||NUMBER' \
    '--srh-hdr-len-eq|6|match srh|1|||NUMBER' \
    '--srh-hdr-len-gt|6|match srh|1|||NUMBER' \
    '--srh-hdr-len-lt|6|match srh|1|||NUMBER' \
    '--srh-segs-left-eq|6|match srh|1|||NUMBER' \
    '--srh-segs-left-gt|6|match srh|1|||NUMBER' \
    '--srh-segs-left-lt|6|match srh|1|||NUMBER' \
    '--srh-last-entry-eq|6|match srh|1|||NUMBER' \
    '--srh-last-entry-gt|6|match srh|1|||NUMBER' \
    '--srh-last-entry-lt|6|match srh|1|||NUMBER' \
    '--srh-tag|6|match srh|1|||NUMBER' \
    '--srh-psid|6|match srh|1|||ADDRESS[/MASK]' \
    '--srh-nsid|6|match srh|1|||ADDRESS[/MASK]' \
    '--srh-lsid|6|match srh|1|||ADDRESS[/MASK]' \
    '--state|4 6|match state|1||INVALID NEW RELATED ESTABLISHED UNTRACKED|WORD[,WORD...]' \
    '--mode|4 6|match statistic|1|||random/nth' \
    '--probability|4 6|match statistic|1|--every --packet||PROBABILITY' \
    '--every|4 6|match statistic|1|||NUMBER' \
    '--packet|4 6|match statistic|1|||NUMBER' \
    '--string|4 6|match string|1|--hex-string||TEXT' \
    '--hex-string|4 6|match string|1|||TEXT/HEX/TEXT' \
    '--algo|4 6|match string|1|||bm/kmp' \
    '--from|4 6|match string|1|||OFFSET' \
    '--to|4 6|match string|1|||OFFSET' \
    '--icase|4 6|match string|0|||' \
    '--sport --source-port|4 6|match tcp|1|||PORT[:PORT]' \
    '--dport --destination-port|4 6|match tcp|1|||PORT[:PORT]' \
    '--tcp-option|4 6|match tcp|1|||NUMBER' \
    '--tcp-flags|4 6|match tcp|2|||MASK COMPARED' \
    '--syn|4 6|match tcp|0|--tcp-flags||' \
    '--mss|4 6|match tcpmss|1|||NUMBER[:NUMBER]' \
    '--timestart|4 6|match time|1|||hh:mm[:ss]' \
    '--timestop|4 6|match time|1|||hh:mm[:ss]' \
    '--monthdays|4 6|match time|1|||DAY[,DAY...]' \
    '--weekdays|4 6|match time|1|||DAY[,DAY...]' \
    '--datestart|4 6|match time|1|||YYYY[-MM[-DD[Thh[:mm[:ss]]]]]' \
    '--datestop|4 6|match time|1|||YYYY[-MM[-DD[Thh[:mm[:ss]]]]]' \
    '--utc|4 6|match time|0|--kerneltz --localtz||' \
    '--kerneltz|4 6|match time|0|||' \
    '--localtz|4 6|match time|0|||' \
    '--contiguous|4 6|match time|0|||' \
    '--tos|4 6|match tos|1|||VALUE[/MASK]' \
    '--ttl-eq --ttl|4|match ttl|1|--ttl-gt --ttl-lt||NUMBER' \
    '--ttl-lt|4|match ttl|1|--ttl-eq --ttl-gt||NUMBER' \
    '--ttl-gt|4|match ttl|1|--ttl-eq --ttl-lt||NUMBER' \
    '--u32|4 6|match u32|1|||LOCATION=VALUE[&&...]' \
    '--sport --source-port|4 6|match udp|1|||PORT[:PORT]' \
    '--dport --destination-port|4 6|match udp|1|||PORT[:PORT]' \
    '--type|4 6|target AUDIT|1||accept drop reject|accept/drop/reject' \
    '--checksum-fill|4 6|target CHECKSUM|0|||' \
    '--set-class|4 6|target CLASSIFY|1|||MAJOR:MINOR' \
    '--new|4|target CLUSTERIP|0|||' \
    '--hashmode|4|target CLUSTERIP|1||sourceip sourceip-sourceport sourceip-sourceport-destport|sourceip/sourceip-sourceport/sourceip-sourceport-destport' \
    '--clustermac|4|target CLUSTERIP|1|||MAC' \
    '--total-nodes|4|target CLUSTERIP|1|||NUMBER' \
    '--local-node|4|target CLUSTERIP|1|||NUMBER' \
    '--hash-init|4|target CLUSTERIP|1|||NUMBER' \
    '--set-xmark|4 6|target CONNMARK|1|--and-mark --or-mark --restore-mark --save-mark --set-mark --xor-mark||VALUE[/MASK]' \
    '--set-mark|4 6|target CONNMARK|1|--and-mark --or-mark --restore-mark --save-mark --set-xmark --xor-mark||VALUE[/MASK]' \
    '--and-mark|4 6|target CONNMARK|1|--or-mark --restore-mark --save-mark --set-mark --set-xmark --xor-mark||BITS' \
    '--or-mark|4 6|target CONNMARK|1|--and-mark --restore-mark --save-mark --set-mark --set-xmark --xor-mark||BITS' \
    '--xor-mark|4 6|target CONNMARK|1|--and-mark --or-mark --restore-mark --save-mark --set-mark --set-xmark||BITS' \
    '--save-mark|4 6|target CONNMARK|0|--restore-mark||' \
    '--restore-mark|4 6|target CONNMARK|0|--save-mark||' \
    '--ctmask|4 6|target CONNMARK|1|--mask||NUMBER' \
    '--nfmask|4 6|target CONNMARK|1|--mask||NUMBER' \
    '--mask|4 6|target CONNMARK|1|--ctmask --nfmask||NUMBER' \
    '--left-shift-mark|4 6|target CONNMARK|1|||NUMBER' \
    '--right-shift-mark|4 6|target CONNMARK|1|||NUMBER' \
    '--save|4 6|target CONNSECMARK|0|--restore||' \
    '--restore|4 6|target CONNSECMARK|0|--save||' \
    '--notrack|4 6|target CT|0|||' \
    '--helper|4 6|target CT|1|||NAME' \
    '--timeout|4 6|target CT|1|||NAME' \
    '--ctevents|4 6|target CT|1||new related destroy reply assured protoinfo helper mark natseqinfo secmark|WORD[,WORD...]' \
    '--expevents|4 6|target CT|1||new|WORD[,WORD...]' \
    '--zone|4 6|target CT|1|||{ZONE/mark}' \
    '--zone-orig|4 6|target CT|1|||{ZONE/mark}' \
    '--zone-reply|4 6|target CT|1|||{ZONE/mark}' \
    '--to-destination|4 6|target DNAT|1|||[ADDRESS[-ADDRESS]][:PORT[-PORT]]' \
    '--random|4 6|target DNAT|0|||' \
    '--persistent|4 6|target DNAT|0|||' \
    '--src-pfx|6|target DNPT|1|||PREFIX/LENGTH' \
    '--dst-pfx|6|target DNPT|1|||PREFIX/LENGTH' \
    '--set-dscp|4 6|target DSCP|1|||NUMBER' \
    '--set-dscp-class|4 6|target DSCP|1|--set-dscp|be cs0 cs1 cs2 cs3 cs4 cs5 cs6 cs7 af11 af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 ef|CLASS' \
    '--ecn-tcp-remove|4|target ECN|0|--ecn-tcp-cwr --ecn-tcp-ece||' \
    '--ecn-tcp-ece|4|target ECN|1|||0/1' \
    '--ecn-tcp-cwr|4|target ECN|1|||0/1' \
    '--ecn-ip-ect|4|target ECN|1|||0-3' \
    '--hl-set|6|target HL|1|--hl-dec --hl-inc||NUMBER' \
    '--hl-dec|6|target HL|1|--hl-inc --hl-set||NUMBER' \
    '--hl-inc|6|target HL|1|--hl-dec --hl-set||NUMBER' \
    '--hmark-src-prefix|4 6|target HMARK|1|||LENGTH' \
    '--hmark-dst-prefix|4 6|target HMARK|1|||LENGTH' \
    '--hmark-sport-mask|4 6|target HMARK|1|||NUMBER' \
    '--hmark-dport-mask|4 6|target HMARK|1|||NUMBER' \
    '--hmark-spi-mask|4 6|target HMARK|1|--hmark-dport-mask --hmark-sport-mask||NUMBER' \
    '--hmark-sport|4 6|target HMARK|1|||NUMBER' \
    '--hmark-dport|4 6|target HMARK|1|||NUMBER' \
    '--hmark-spi|4 6|target HMARK|1|||NUMBER' \
    '--hmark-proto-mask|4 6|target HMARK|1|||NUMBER' \
    '--hmark-rnd|4 6|target HMARK|1|||NUMBER' \
    '--hmark-mod|4 6|target HMARK|1|||NUMBER' \
    '--hmark-offset|4 6|target HMARK|1|||NUMBER' \
    '--hmark-tuple|4 6|target HMARK|1||src dst sport dport spi proto ct|src/dst/sport/dport/spi/proto/ct' \
    '--timeout|4 6|target IDLETIMER|1|||NUMBER' \
    '--label|4 6|target IDLETIMER|1|||NAME' \
    '--alarm|4 6|target IDLETIMER|0|||' \
    '--led-trigger-id|4 6|target LED|1|||NAME' \
    '--led-delay|4 6|target LED|1|||MILLISECONDS/inf' \
    '--led-always-blink|4 6|target LED|0|||' \
    '--log-prefix|4 6|target LOG|1|||PREFIX' \
    '--log-level|4 6|target LOG|1|||LEVEL' \
    '--log-tcp-sequence|4 6|target LOG|0|||' \
    '--log-tcp-options|4 6|target LOG|0|||' \
    '--log-ip-options|4 6|target LOG|0|||' \
    '--log-uid|4 6|target LOG|0|||' \
    '--log-macdecode|4 6|target LOG|0|||' \
    '--set-xmark|4 6|target MARK|1|--and-mark --or-mark --set-mark --xor-mark||VALUE[/MASK]' \
    '--set-mark|4 6|target MARK|1|--and-mark --or-mark --set-xmark --xor-mark||VALUE[/MASK]' \
    '--and-mark|4 6|target MARK|1|--or-mark --set-mark --set-xmark --xor-mark||BITS' \
    '--or-mark|4 6|target MARK|1|--and-mark --set-mark --set-xmark --xor-mark||BITS' \
    '--xor-mark|4 6|target MARK|1|--and-mark --or-mark --set-mark --set-xmark||BITS' \
    '--to-ports|4|target MASQUERADE|1|||PORT[-PORT]' \
    '--random|4|target MASQUERADE|0|||' \
    '--random-fully|4|target MASQUERADE|0|||' \
    '--to-ports|6|target MASQUERADE|1|||PORT[-PORT]' \
    '--random|6|target MASQUERADE|0|||' \
    '--random-fully|6|target MASQUERADE|0|||' \
    '--to|4|target NETMAP|1|||NETWORK[/MASK]' \
    '--to|6|target NETMAP|1|||NETWORK[/MASK]' \
    '--nflog-prefix|4 6|target NFLOG|1|||PREFIX' \
    '--nflog-group|4 6|target NFLOG|1|||NUMBER' \
    '--nflog-size|4 6|target NFLOG|1|--nflog-range||NUMBER' \
    '--nflog-range|4 6|target NFLOG|1|--nflog-size||NUMBER' \
    '--nflog-threshold|4 6|target NFLOG|1|||NUMBER' \
    '--queue-num|4 6|target NFQUEUE|1|--queue-balance||NUMBER' \
    '--queue-balance|4 6|target NFQUEUE|1|--queue-num||FIRST:LAST' \
    '--queue-bypass|4 6|target NFQUEUE|0|||' \
    '--queue-cpu-fanout|4 6|target NFQUEUE|0|||' \
    '--rateest-name|4 6|target RATEEST|1|||NAME' \
    '--rateest-interval|4 6|target RATEEST|1|||TIME' \
    '--rateest-ewmalog|4 6|target RATEEST|1|||TIME' \
    '--to-ports|4|target REDIRECT|1|||PORT[-PORT]' \
    '--random|4|target REDIRECT|0|||' \
    '--to-ports|6|target REDIRECT|1|||PORT[-PORT]' \
    '--random|6|target REDIRECT|0|||' \
    '--reject-with|4|target REJECT|1||icmp-net-unreachable icmp-host-unreachable icmp-proto-unreachable icmp-port-unreachable icmp-net-prohibited icmp-host-prohibited tcp-reset icmp-admin-prohibited|ANSWER' \
    '--reject-with|6|target REJECT|1||icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable tcp-reset icmp6-policy-fail icmp6-reject-route|ANSWER' \
    '--selctx|4 6|target SECMARK|1|||CONTEXT' \
    '--add-set|4 6|target SET|2|||SET src/dst[,...]' \
    '--exist|4 6|target SET|0|||' \
    '--timeout|4 6|target SET|1|||NUMBER' \
    '--del-set|4 6|target SET|2|||SET src/dst[,...]' \
    '--map-set|4 6|target SET|2|||SET src/dst[,...]' \
    '--map-mark|4 6|target SET|0|||' \
    '--map-prio|4 6|target SET|0|||' \
    '--map-queue|4 6|target SET|0|||' \
    '--to-source|4|target SNAT|1|||[ADDRESS[-ADDRESS]][:PORT[-PORT]]' \
    '--random|4|target SNAT|0|||' \
    '--random-fully|4|target SNAT|0|||' \
    '--persistent|4|target SNAT|0|||' \
    '--to-source|6|target SNAT|1|||[ADDRESS[-ADDRESS]][:PORT[-PORT]]' \
    '--random|6|target SNAT|0|||' \
    '--random-fully|6|target SNAT|0|||' \
    '--persistent|6|target SNAT|0|||' \
    '--src-pfx|6|target SNPT|1|||PREFIX/LENGTH' \
    '--dst-pfx|6|target SNPT|1|||PREFIX/LENGTH' \
    '--sack-perm|4 6|target SYNPROXY|0|||' \
    '--timestamp|4 6|target SYNPROXY|0|||' \
    '--wscale|4 6|target SYNPROXY|1|||NUMBER' \
    '--mss|4 6|target SYNPROXY|1|||NUMBER' \
    '--ecn|4 6|target SYNPROXY|0|||' \
    '--clamp-mss-to-pmtu|4|target TCPMSS|0|||' \
    '--set-mss|4|target TCPMSS|1|||NUMBER' \
    '--clamp-mss-to-pmtu|6|target TCPMSS|0|||' \
    '--set-mss|6|target TCPMSS|1|||NUMBER' \
    '--strip-options|4 6|target TCPOPTSTRIP|1|||OPTION[,OPTION...]' \
    '--gateway|4 6|target TEE|1|||ADDRESS' \
    '--oif|4 6|target TEE|1|||INTERFACE' \
    '--set-tos|4 6|target TOS|1|||VALUE[/MASK]/NAME' \
    '--and-tos|4 6|target TOS|1|--set-tos||BITS' \
    '--or-tos|4 6|target TOS|1|--set-tos||BITS' \
    '--xor-tos|4 6|target TOS|1|--set-tos||BITS' \
    '--on-port|4 6|target TPROXY|1|||PORT' \
    '--on-ip|4 6|target TPROXY|1|||ADDRESS' \
    '--tproxy-mark|4 6|target TPROXY|1|||VALUE[/MASK]' \
    '--ttl-set|4|target TTL|1|--ttl-dec --ttl-inc||NUMBER' \
    '--ttl-dec|4|target TTL|1|--ttl-inc --ttl-set||NUMBER' \
    '--ttl-inc|4|target TTL|1|--ttl-dec --ttl-set||NUMBER' \
    '--ulog-prefix|4|target ULOG|1|||PREFIX' \
    '--ulog-nlgroup|4|target ULOG|1|||NUMBER' \
    '--ulog-cprange|4|target ULOG|1|||NUMBER' \
    '--ulog-qthreshold|4|target ULOG|1|||NUMBER'
set -g __iptables_save \
    '-c --counters||with counters' \
    '-d --dump||look at no argument behind this one' \
    '-t --table|1|this table alone' \
    '-M --modprobe|1|taken for the sake of old scripts' \
    '-f --file|1|where to write' \
    '-V --version||print the version' \
    '--netns|1|work on the tables of this network namespace' \
    '--sandbox|1|work on tables kept in this file, not the kernel\'s'
set -g __iptables_restore \
    '-c --counters||with counters' \
    '-v --verbose||say what is done' \
    '-V --version||print the version' \
    '-t --test||read all, change nothing' \
    '-h --help||print a help text' \
    '-n --noflush||keep the rules that are there' \
    '-w --wait|?|seconds to wait for the lock' \
    '-W --wait-interval|?|taken for the sake of old scripts' \
    '-T --table|1|this table alone' \
    '-M --modprobe|1|taken for the sake of old scripts' \
    '-b --binary||taken for the sake of old scripts' \
    '--netns|1|work on the tables of this network namespace' \
    '--sandbox|1|work on tables kept in this file, not the kernel\'s'
set -g __iptables_apply \
    '-t --timeout|1|seconds for the answer' \
    '-w --write|1|where to save what was confirmed' \
    '-c --command||run a command in the place of a dump' \
    '-h --help||print a help text' \
    '-V --version||print the version'
set -g __iptables_xml \
    '-c --combine||one rule of those with the same conditions' \
    '-v --verbose||with lines as comments' \
    '-h --help||print a help text'
set -g __iptables_subcommands \
    'iptables|iptables' \
    'main4|iptables' \
    'iptables-save|iptables-save' \
    'save4|iptables-save' \
    'iptables-restore|iptables-restore' \
    'restore4|iptables-restore' \
    'iptables-legacy|iptables' \
    'iptables-legacy-save|iptables-save' \
    'iptables-legacy-restore|iptables-restore' \
    'iptables-xml|iptables-xml' \
    'xml|iptables-xml' \
    'ip6tables|ip6tables' \
    'main6|ip6tables' \
    'ip6tables-save|ip6tables-save' \
    'save6|ip6tables-save' \
    'ip6tables-restore|ip6tables-restore' \
    'restore6|ip6tables-restore' \
    'ip6tables-legacy|ip6tables' \
    'ip6tables-legacy-save|ip6tables-save' \
    'ip6tables-legacy-restore|ip6tables-restore'
# -- end --

# Prints those of the rows $argv[2..] that have the spelling $argv[1].
function __iptables_find
    string match -r -- '^(?:[^|]* )?'(string escape --style=regex -- $argv[1])'[ |].*' $argv[2..]
end

# Notes the option or command $argv[1]: what it is, what may follow (due), how much of that must follow (must).
function __iptables_meet -S
    set pending
    set due
    set must 0
    set -l row (string split '|' -- (__iptables_find $argv[1] $__iptables_own))
    if set -q row[1]
        set pending (string split -f 1 ' ' -- $row[1])
        set due (string replace -ra '[][]' '' -- $row[4] | string split -n ' ')
        set values (string split -n ' ' -- $row[5])
        set metavar $row[4]
        test "$row[2]" = 1; and set must 1
        test "$row[3]" = =; and set verb (string sub -s 2 -- $pending)
        set -a given $pending
        return
    end
    for one in (__iptables_find $argv[1] $__iptables_options)
        set row (string split '|' -- $one)
        string match -q "*$family*" -- $row[2]; and contains -- $row[3] $loaded; or continue
        set pending (string split -f 1 ' ' -- $row[1])
        set must $row[4]
        test $must = 0; or set due (string repeat -n $must 'ARGUMENT ' | string split -n ' ')
        set values (string split -n ' ' -- $row[6])
        set metavar $row[7]
        set -a given $pending
        return
    end
end

# Takes the word $argv[1] as an argument of what is pending.
function __iptables_take -S
    set -e due[1]
    set must (math $must - 1)
    switch "$pending"
        case -t
            set table $argv[1]
        case --netns --sandbox
            set place $pending=$argv[1]
        case -m
            set -a loaded "match $argv[1]"
        case -j
            set -a loaded "target $argv[1]"
        case -p
            for one in (string match -- '*'(string lower -- $argv[1])'*' $__iptables_extensions)
                set -l row (string split '|' -- $one)
                contains -- (string lower -- $argv[1]) (string split ' ' -- $row[3]); or continue
                string match -q "*$family*" -- $row[2]; and set -a loaded $row[1]
            end
    end
end

# Prints the chains of the table: those that are built in (-P), or not (-N).
function __iptables_chains -S
    for line in (command $words[1] -t $table $place -S 2>/dev/null)
        set -l parts (string split ' ' -- $line)
        contains -- $parts[1] $argv; and echo -- $parts[2]
    end
end

# Prints the matches or targets that there are.
function __iptables_names -S
    for one in (string match -- "$argv[1] *" $__iptables_extensions)
        set -l row (string split '|' -- $one)
        string match -q "*$family*" -- $row[2]; and printf '%s\t%s\n' (string split -f 2 ' ' -- $row[1]) $row[4]
    end
end

# Prints arguments of what is pending.
function __iptables_argument -S
    switch "$pending/$due[1]"
        case '-N/*' -E/NEW '*/NUMBER'
        case '-X/*' '-E/*' '-g/*'
            __iptables_chains -N
        case -P/CHAIN
            __iptables_chains -P
        case '-P/*'
            printf '%s\n' ACCEPT DROP
        case '-A/CHAIN' '-D/CHAIN' '-C/CHAIN' '-I/CHAIN' '-R/CHAIN' '-L/CHAIN' '-S/CHAIN' '-F/CHAIN' '-Z/CHAIN'
            __iptables_chains -P -N
        case '-m/*'
            __iptables_names match
        case '-j/*'
            printf '%s\n' $values
            __iptables_chains -N
            __iptables_names target
        case '-i/*' '-o/*'
            path basename /sys/class/net/*
        case '--netns/*'
            ip netns list 2>/dev/null | string split -f 1 ' '
        case '-M/*' '--sandbox/*'
            __fish_complete_path (commandline -ct)
        case '*/ARGUMENT'
            set -l before
            string match -q '*,*' -- $metavar; and set before (commandline -ct | string match -r -- '.*,')
            set -q values[1]; and printf '%s\n' "$before"$values
        case '*'
            set -q values[1]; and printf '%s\n' $values
    end
end

# Prints commands and options that can come next, each with what it does.
function __iptables_next -S
    for one in $__iptables_own
        set -l row (string split '|' -- $one)
        set -l spellings (string split ' ' -- $row[1])
        set -l name $spellings[1]
        switch "$name/$row[3]"
            case '-m/*'
                string match -qr '^[ACDIR]$' -- "$verb"; or continue
            case '*/='
                test -z "$verb"; or continue
            case '-4/*' '-6/*'
                test $name = -$family; or continue
            case '*/'
            case '*'
                test -n "$verb"; and string match -q "*$verb*" -- $row[3]; or continue
        end
        test "$name$family" = -f6; and continue
        contains -- $name -j -g; and begin
            contains -- -j $given; or contains -- -g $given
        end; and continue
        contains -- $name -m -v; or not contains -- $name $given; or continue
        printf "%s\t$row[6]\n" $spellings
    end
    for one in $__iptables_options
        set -l row (string split '|' -- $one)
        contains -- $row[3] $loaded; and string match -q "*$family*" -- $row[2]; or continue
        set -l spellings (string split ' ' -- $row[1])
        contains -- $spellings[1] $given; and continue
        set -l excluded
        for other in (string split -n ' ' -- $row[5])
            contains -- $other $given; and set excluded yes
        end
        test -n "$excluded"; or printf '%s\t'(string replace -a % %% -- $row[7])'\n' $spellings
    end
end

# Prints all that the word at the cursor can become.
function __iptables_offer
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l table filter
    set -l family 4
    string match -q -- '*ip6*' (path basename $words[1]); and set family 6
    set -l verb
    set -l pending
    set -l due
    set -l must 0
    set -l values
    set -l metavar
    set -l loaded
    set -l given
    set -l place
    for word in $words[2..]
        if set -q due[1]; and test $must -gt 0 -o -z "$(string match -r '^[-!]' -- $word)"
            __iptables_take $word
            continue
        end
        switch $word
            case '--*=*'
                __iptables_meet (string split -f 1 -m 1 = -- $word)
                __iptables_take (string split -f 2 -m 1 = -- $word)
            case '--*'
                __iptables_meet $word
            case '-?*'
                set -l letters (string sub -s 2 -- $word)
                while test -n "$letters"
                    __iptables_meet -(string sub -l 1 -- $letters)
                    set letters (string sub -s 2 -- $letters)
                    if test -n "$letters"; and set -q due[1]
                        __iptables_take $letters
                        break
                    end
                end
        end
    end
    if set -q due[1]; and test $must -gt 0 -o -z "$(string match -r '^[-!]' -- $current)"
        __iptables_argument
    else if string match -q -- '--*=*' $current
        set -l name (string split -f 1 -m 1 = -- $current)
        __iptables_meet $name
        printf '%s\n' $name=(__iptables_argument)
    else
        __iptables_next
    end
end

# Declares the options $argv[2..] of the command $argv[1], which has no commands.
function __iptables_declare
    for row in $argv[2..-1]
        set -l parts (string split '|' -- $row)
        set -l spellings (string split ' ' -- $parts[1])
        set -l shape
        switch "$parts[2]/$spellings[-1]"
            case '1/--table'
                set shape -x -a 'filter nat mangle raw security'
            case 1/--netns
                set shape -x -a '(ip netns list 2>/dev/null | string split -f 1 " ")'
            case '1/--modprobe' '1/--file' '1/--write' '1/--sandbox'
                set shape -r -F
            case '1/*'
                set shape -x
        end
        complete -c $argv[1] (string replace -rf -- '^-(.)$' '-s$1' $spellings) \
            -l (string sub -s 3 -- $spellings[-1]) $shape -d $parts[3]
    end
end

# Offers what the command does that a subcommand stands for.
function __iptables_multi
    set -l words (commandline -opc)
    set -l row (string match -- "$words[2]|*" $__iptables_subcommands); or return
    set -e words[1..2]
    complete -C (string join ' ' -- (string split '|' -- $row)[2] (string escape -- $words) (commandline -ct))
end

for name in iptables iptables-legacy ip6tables ip6tables-legacy
    complete -c $name -f -a '(__iptables_offer)'
    __iptables_declare $name-save $__iptables_save
    __iptables_declare $name-restore $__iptables_restore
    complete -c $name-save -f
end
__iptables_declare iptables-apply $__iptables_apply
__iptables_declare ip6tables-apply $__iptables_apply
__iptables_declare iptables-xml $__iptables_xml
complete -c xtables-legacy-multi -f
complete -c xtables-legacy-multi -n 'test (count (commandline -opc)) -eq 1' \
    -a '(string split -f 1 "|" -- $__iptables_subcommands)'
complete -c xtables-legacy-multi -n 'test (count (commandline -opc)) -gt 1' -a '(__iptables_multi)'
