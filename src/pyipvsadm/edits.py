"""What two sequences have in common, so that the rest is as little as can be: their longest common subsequence.

It is found fast where little has changed, and where items seldom occur twice, however much has changed: rules of
netfilter are like that. Sequences of tens of thousands of items that are the same few again and again, in a wholly
different order, get a common subsequence that need not be the longest.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from typing import Any, Final

    Pair = tuple[int, int]

_PAIRS: Final = 1 << 20  # of equal items: how many are looked at one by one
_EDITS: Final = 1000  # how many are looked for where there are more such pairs


def common(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Pair]:
    """Return places of equal items, in ``before`` and ``after``, that ascend in both: as many as there can be."""
    shortest = min(len(before), len(after))
    first = 0
    while first < shortest and before[first] == after[first]:
        first += 1
    last = 0
    while last < shortest - first and before[-1 - last] == after[-1 - last]:
        last += 1
    pairs = [(place, place) for place in range(first)]
    # What is on one side alone is in no common subsequence.
    left, right = range(first, len(before) - last), range(first, len(after) - last)
    both = {before[place] for place in left} & {after[place] for place in right}
    mine = [place for place in left if before[place] in both]
    other = [place for place in right if after[place] in both]
    found = _middle([before[place] for place in mine], [after[place] for place in other])
    pairs += [(mine[one], other[two]) for one, two in found]
    pairs += [(len(before) - place, len(after) - place) for place in range(last, 0, -1)]
    return pairs


def _middle(before: list[Hashable], after: list[Hashable]) -> list[Pair]:
    where: dict[Hashable, list[int]] = {}
    for place, item in enumerate(after):
        where.setdefault(item, []).append(place)
    equal = [where[item] for item in before]
    if sum([len(places) for places in equal]) <= _PAIRS:
        return _ascending(equal)
    found = _few_edits(before, after)
    if found is not None:
        return found
    # The first of an item for the first of it, the second for the second, and so on.
    left = {item: iter(places) for item, places in where.items()}
    return _ascending([[*islice(left[item], 1)] for item in before])


def _ascending(equal: list[list[int]]) -> list[Pair]:
    """Return the longest way through places that ascend, at most one of each list (Hunt and Szymanski, 1977)."""
    ends: list[int] = []  # the lowest place at which a way of this length can end
    ways: list[tuple[Pair, object]] = []  # these ways, from their ends
    for one, places in enumerate(equal):
        for two in reversed(places):
            length = bisect_left(ends, two)
            way = ((one, two), ways[length - 1] if length else None)
            if length == len(ends):
                ends.append(two)
                ways.append(way)
            elif two < ends[length]:
                ends[length] = two
                ways[length] = way
    pairs: list[Pair] = []
    step: Any = ways[-1] if ways else None
    while step is not None:
        pairs.append(step[0])
        step = step[1]
    return pairs[::-1]


def _few_edits(before: list[Hashable], after: list[Hashable]) -> list[Pair] | None:
    """Return the longest common subsequence, None where it takes more than a number of edits (Myers, 1986)."""
    length, other = len(before), len(after)
    furthest = {1: 0}  # on a diagonal (place in before minus that in after): the furthest place in before
    trace: list[dict[int, int]] = []
    for edits in range(min(length + other, _EDITS) + 1):
        trace.append(furthest.copy())
        for diagonal in range(-edits, edits + 1, 2):
            one = _start(furthest, diagonal, edits)
            two = one - diagonal
            while one < length and two < other and before[one] == after[two]:
                one += 1
                two += 1
            furthest[diagonal] = one
            if one >= length and two >= other:
                return _walk_back(trace, length, other)
    return None


def _is_insertion(furthest: dict[int, int], diagonal: int, edits: int) -> bool:
    """Whether a diagonal is come to from the one above, by an item of ``after``; else it is by one of ``before``."""
    return diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])


def _start(furthest: dict[int, int], diagonal: int, edits: int) -> int:
    """Return where in ``before`` a diagonal is come to."""
    if _is_insertion(furthest, diagonal, edits):
        return furthest[diagonal + 1]
    return furthest[diagonal - 1] + 1


def _walk_back(trace: list[dict[int, int]], one: int, two: int) -> list[Pair]:
    pairs: list[Pair] = []
    for edits in range(len(trace) - 1, -1, -1):
        furthest, diagonal = trace[edits], one - two
        start = _start(furthest, diagonal, edits)
        while one > start and one > 0 and two > 0:
            one -= 1
            two -= 1
            pairs.append((one, two))
        if _is_insertion(furthest, diagonal, edits):
            two -= 1
        else:
            one -= 1
    return pairs[::-1]
