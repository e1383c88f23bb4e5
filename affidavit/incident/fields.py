"""The building blocks of the incident file's models: text scalars, ranges, and choices by shape.

Every scalar arrives as text (nodes.py); the JSON Schema allows numbers and booleans as well, since an
editor types plain scalars by YAML's own rules.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, StringConstraints, Tag, WithJsonSchema

from affidavit.described import Described

_SCALAR = {"type": ["string", "number", "boolean"]}

Text = Annotated[str, StringConstraints(min_length=1), WithJsonSchema({**_SCALAR, "minLength": 1})]


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("it says nothing")
    return value


Reason = Annotated[str, AfterValidator(_said), WithJsonSchema({**_SCALAR, "minLength": 1, "pattern": r"\S"})]
"""Words that say why: blanks alone are none."""
Prose = Annotated[str, WithJsonSchema({"type": "string"})]
Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$"),
    WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,79}$"}),
]


class Model(Described):
    """Base of the incident file's models: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class KeywordModel(Model):
    """A model with keys that are Python's own words: the field ``from_`` is the key ``from``."""

    model_config = ConfigDict(alias_generator=lambda name: name.rstrip("_"))


def _shape(value: Any) -> str:
    if isinstance(value, dict | BaseModel):
        return "mapping"
    return "list" if isinstance(value, list) else "text"


ByShape = Discriminator(_shape)
ListOf = Annotated[list[Text], Tag("list")]
One = Annotated[Text, Tag("text")]

OneOrMany = Annotated[One | ListOf, ByShape]
"""One text, or a list of texts."""


class Bounds(Model):
    """A number within bounds, both ends included."""

    at_least: Text | None = None
    """At least this many."""
    at_most: Text | None = None
    """At most this many."""


AmountField = Annotated[One | Annotated[Bounds, Tag("mapping")], ByShape]
"""A number, or ``{at_least:, at_most:}``."""


VALUE_SCHEMA = {
    "anyOf": [
        _SCALAR,
        {"type": "array", "items": _SCALAR, "minItems": 1},
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                "from": {**_SCALAR, "description": "At or after this; a bare day from its start."},
                "until": {**_SCALAR, "description": "At or before this; a bare day to its end."},
                "after": {**_SCALAR, "description": "After this; after a bare day's end."},
                "before": {**_SCALAR, "description": "Before this; before a bare day's start."},
                "at_least": {**_SCALAR, "description": "This much or more."},
                "at_most": {**_SCALAR, "description": "This much or less."},
                "not": {"description": "Anything but this value."},
                "contains": {**_SCALAR, "description": "A list column holds this entry."},
                "like": {**_SCALAR, "description": "Text like this; % stands for any characters."},
            },
        },
    ]
}
Value = Annotated[Any, WithJsonSchema(VALUE_SCHEMA)]
"""A stated value; typed by its column when the claim is compiled (affidavit/check/conditions.py)."""

Conditions = Annotated[One | Annotated[dict[str, Value], Tag("mapping")], ByShape]
"""A mapping of column to value, or one SQL expression."""

ColumnValues = dict[str, Value]
"""A mapping of column to value."""
