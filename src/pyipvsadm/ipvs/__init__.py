"""IPVS, the kernel's layer-4 load balancer: virtual services, real servers, counters.

from pyipvsadm import ipvs

with ipvs.open() as lvs:
    web = ipvs.ServiceKey(4, "tcp", "192.0.2.1", 80)
    lvs.apply(
        ipvs.AddService(ipvs.VirtualService(web, scheduler="wrr")),
        ipvs.AddServer(web, ipvs.RealServer(ipvs.ServerKey(4, "10.0.0.1", 80), "masq", weight=3)),
    )
    for service in lvs.services():
        print(service.config.key, [server.config.key for server in service.servers])
"""
