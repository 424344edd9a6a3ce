"""The layouts of the older interface against the compiler's view of linux/ip_vs.h."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyipvsadm.ipvs.backend import sockopt

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
#include <stdio.h>
#include <stddef.h>
#include <linux/ip_vs.h>
int main(void)
{
    printf("%zu %zu %zu %zu %zu\\n", sizeof(struct ip_vs_getinfo), offsetof(struct ip_vs_get_services, entrytable),
           sizeof(struct ip_vs_service_entry), offsetof(struct ip_vs_get_dests, entrytable),
           sizeof(struct ip_vs_dest_entry));
    struct ip_vs_service_entry service = {
        .protocol = 1, .addr = 0x04030201, .port = 2, .fwmark = 3, .sched_name = "rr", .flags = 4, .timeout = 5,
        .netmask = 6, .num_dests = 7,
    };
    struct ip_vs_dest_entry server = {
        .addr = 0x04030201, .port = 1, .conn_flags = 2, .weight = -3, .u_threshold = 4, .l_threshold = 5,
        .activeconns = 6, .inactconns = 7, .persistconns = 8,
    };
    struct ip_vs_get_dests question = {
        .protocol = 1, .addr = 0x04030201, .port = 2, .fwmark = 3, .num_dests = 4,
    };
    fwrite(&service, sizeof(service), 1, stdout);
    fwrite(&server, sizeof(server), 1, stdout);
    fwrite(&question, offsetof(struct ip_vs_get_dests, entrytable), 1, stdout);
    return 0;
}
"""


def test_layouts_are_the_compilers(tmp_path: Path) -> None:
    if not shutil.which("gcc"):
        pytest.skip("no gcc")
    program = tmp_path / "layouts"
    subprocess.run(["gcc", "-x", "c", "-", "-o", str(program)], input=PROGRAM, text=True, check=True)
    sizes, _, values = subprocess.run([str(program)], capture_output=True, check=True).stdout.partition(b"\n")
    layouts = sockopt.INFO, sockopt.SERVICES, sockopt.SERVICE, sockopt.SERVERS, sockopt.SERVER
    assert [layout.size for layout in layouts] == [int(size) for size in sizes.split()]
    address = (0x04030201).to_bytes(4, sys.byteorder)
    service, server, question = (
        values[: sockopt.SERVICE.size],
        values[sockopt.SERVICE.size : -sockopt.SERVERS.size],
        values[-sockopt.SERVERS.size :],
    )
    name = sockopt.NAME.pack(1, address, 2, 3)
    assert sockopt.SERVICE.unpack(service) == (name, 7)
    settings, connections = sockopt.SERVER.unpack(server)
    assert sockopt.SERVER_SETTINGS.unpack(settings) == (address, 1, 2, -3, 4, 5)
    assert sockopt.SERVER_CONNECTIONS.unpack(connections) == (6, 7, 8)
    assert sockopt.SERVERS.unpack(question) == (name, 4)
