"""Whether the packet is for this node of a cluster.

Struct: ``struct xt_cluster_match_info``, linux/netfilter/xt_cluster.h. Syntax: iptables-extensions(8), "cluster".
"""

from __future__ import annotations

from pyipvsadm.errors import UsageError
from pyipvsadm.xtables.kinds import U32, as_member, number
from pyipvsadm.xtables.layout import Layout, u32
from pyipvsadm.xtables.options import BOTH, Extension, Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from pyipvsadm.xtables.layout import Values
    from pyipvsadm.xtables.options import Draft, View

LAYOUT: Final = Layout(
    "struct xt_cluster_match_info",
    u32("total_nodes"),
    u32("node_mask"),
    u32("hash_seed"),
    u32("flags"),
)
_INV: Final = 1  # XT_CLUSTER_F_INV
_NODES_MAX: Final = 32  # XT_CLUSTER_NODES_MAX


def _write_hex(value: int, _: View) -> str:
    return f"0x{value:08x}"


def _hex(high: int, low: int = 0) -> Kind:
    kind = number(low, high)
    return Kind(kind.read, _write_hex, kind.placeholder)


def _check(draft: Draft) -> None:
    if draft.values["node_mask"] >> draft.values["total_nodes"]:
        raise UsageError(
            'cluster: "--cluster-local-node", "--cluster-local-nodemask": the node is beyond "--cluster-total-nodes"'
        )


def _show(values: Values, view: View) -> str:
    sign = "!" if values["flags"] & _INV else ""
    mask, seed = [_write_hex(values[member], view) for member in ("node_mask", "hash_seed")]
    return f" cluster {sign}node_mask={mask} total_nodes={values['total_nodes']} hash_seed={seed}"


EXTENSIONS: Final = (
    Extension(
        "match",
        "cluster",
        0,
        BOTH,
        LAYOUT,
        (
            Option(
                "cluster-local-nodemask",
                # The peer takes no higher mask than there can be nodes.
                kind=_hex(_NODES_MAX, 1),
                to="node_mask",
                inverts=("flags", _INV),
                needed=True,
                when=lambda _: True,
            ),
            Option(
                "cluster-local-node",
                kind=as_member(number(1, _NODES_MAX), int.bit_length, lambda node: 1 << (node - 1)),
                to="node_mask",
                inverts=("flags", _INV),
                same_as="cluster-local-nodemask",
            ),
            Option(
                "cluster-total-nodes",
                kind=number(1, _NODES_MAX),
                to="total_nodes",
                needed=True,
                when=lambda _: True,
            ),
            Option("cluster-hash-seed", kind=_hex(U32), to="hash_seed", needed=True, when=lambda _: True),
        ),
        summary="packets that this node of a cluster takes",
        check=_check,
        show=_show,
    ),
)
