"""Documents held to the schemas of docs/schema, which have to name all that is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).resolve().parents[2] / "docs/schema"


def validated(text: str, name: str) -> Any:
    """Return what a document holds, which the schema ``name`` describes.

    A reader has to bear with members that it does not know, as they may be added; none is printed that the schema does
    not name.
    """
    document = json.loads(text)
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    named = {member for part in _objects(schema) for member in part.get("properties", ())}
    assert {member for part in _objects(document) for member in part} <= named
    return document


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects in what JSON has."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(part)
