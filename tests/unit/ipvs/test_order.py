"""The order of listings: quick where it is a plain one, and then the same as the merge sort's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyipvsadm.ipvs import order
from pyipvsadm.ipvs.model import RealServer, ServerKey, ServerState

WORDS = st.one_of(st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 1, 1 << 31, (1 << 31) + 1, 0xFFFFFFFF]))


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(0, 65535)), min_size=2, max_size=12))
def test_the_quick_way_gives_what_the_merge_sort_gives(keys: list[tuple[int, ...]]) -> None:
    columns = order._unwind(keys)
    if columns is not None:
        quick = order._sort(range(len(keys)), keys)
        assert quick == order._merge_sort(keys, range(len(keys)))


@given(st.lists(st.integers(0, 0x7FFFFFFF), min_size=1), st.integers(0, 0xFFFFFFFF))
def test_half_the_circle_is_sorted_the_quick_way(offsets: list[int], start: int) -> None:
    keys: list[tuple[int, ...]] = [((start + offset) & 0xFFFFFFFF, 0) for offset in offsets]
    assert order._unwind(keys) is not None
    assert order._sort(offsets, keys) == sorted(offsets)


def test_the_first_family_decides_what_counts() -> None:
    # As listed by ipvsadm 1.31: servers in the kernel's order, and as it sorts them.
    def servers(*addresses: str) -> list[ServerState]:
        keys = [ServerKey(family=6 if ":" in address else 4, address=address, port=80) for address in addresses]
        return [ServerState(config=RealServer(key=key)) for key in keys]

    for given_, sorted_ in (
        (("32.1.0.0", "2001::1"), ("32.1.0.0", "2001::1")),
        (("2001::1", "32.1.0.0"), ("32.1.0.0", "2001::1")),
        (("32.1.0.0", "2001::"), ("32.1.0.0", "2001::")),
        (("2001::", "32.1.0.0"), ("2001::", "32.1.0.0")),
        (("32.1.0.0", "2001:0:9000::"), ("32.1.0.0", "2001:0:9000::")),
        (("2001:0:9000::", "32.1.0.0"), ("2001:0:9000::", "32.1.0.0")),
        (("192.168.0.1", "2001::1"), ("192.168.0.1", "2001::1")),
        (("127.0.0.1", "2001::1"), ("2001::1", "127.0.0.1")),
    ):
        assert list(order.sort_servers(servers(*given_))) == servers(*sorted_)
