"""Late records: records, but for when their fields are worked out."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from pyipvsadm.late import LateRecord, late_maker
from pyipvsadm.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable


class Word(LateRecord):
    """A text, and what can be said of it."""

    text: str
    length: int = 0
    letters: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        return self.text[:1]


class Other(LateRecord):
    """The fields of Word in another type."""

    text: str
    length: int = 0
    letters: tuple[str, ...] = ()


class Plain(Record):
    """The fields of Word in a record."""

    text: str
    length: int = 0
    letters: tuple[str, ...] = ()


@pytest.fixture(name="asked")
def make_asked() -> list[str]:
    return []


@pytest.fixture(name="late")
def make_late(asked: list[str]) -> Callable[[str], Word]:
    def work_out(word: Word, name: str) -> dict[str, Any]:
        asked.append(name)
        return {"length": len(word.text)} if name == "length" else {"letters": tuple(word.text)}

    return late_maker(Word, "text", work_out)


def test_fields_are_worked_out_once_and_when_they_are_asked_for(late: Callable[[str], Word], asked: list[str]) -> None:
    word = late("abc")
    assert (word.text, word.first, asked) == ("abc", "a", [])
    assert (word.length, word.length, asked) == (3, 3, ["length"])
    assert (word.letters, word.letters, asked) == (("a", "b", "c"), ("a", "b", "c"), ["length", "letters"])


def test_a_late_record_is_as_one_that_is_made_whole(late: Callable[[str], Word]) -> None:
    whole = Word("ab", 2, letters=("a", "b"))
    assert late("ab") == whole
    assert late("ab") == late("ab")
    assert late("ab") != late("ac")
    assert hash(late("ab")) == hash(whole)
    assert repr(late("ab")) == repr(whole) == "Word(text='ab', length=2, letters=('a', 'b'))"
    assert late("ab").asdict() == whole.asdict() == {"text": "ab", "length": 2, "letters": ("a", "b")}
    assert late("ab").replace(length=7) == Word("ab", 7, ("a", "b"))
    assert copy.copy(late("ab")) == copy.deepcopy(late("ab")) == whole
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(late("ab"), protocol)) == whole  # noqa: S301 - it was made in this line


def test_the_type_counts() -> None:
    assert Word("ab") != Other("ab")
    assert Word("ab") != Plain("ab")
    assert Word("ab") != ("ab", 0, ())


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((), {"length": 1}), (("a", 1, (), 2), {}), (("a",), {"size": 1}), (("a",), {"text": "b"})],
)
def test_wrong_arguments_are_refused(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Word(*args, **kwargs)
    with pytest.raises(TypeError):
        Word("a").replace(size=1)


def test_late_records_are_frozen(late: Callable[[str], Word]) -> None:
    for word in (Word("ab"), late("ab")):
        anything: Any = word
        with pytest.raises(AttributeError, match="Word is frozen: cannot set length"):
            anything.length = 3
        with pytest.raises(AttributeError, match="Word is frozen: cannot delete text"):
            del anything.text
        with pytest.raises(AttributeError, match="no attribute 'size'"):
            _ = anything.size
        assert not hasattr(anything, "__dict__")
