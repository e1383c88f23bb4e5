"""Descriptions of fields, read from the texts below them."""

from pydantic import Field

from affidavit.described import Described, descriptions


class Base(Described):
    """A model with descriptions of its own."""

    first: str
    """The first."""
    bare: int = 0
    last: str = Field(default="", description="Said in the field itself.")
    """Not said."""


class Derived(Base):
    """A model that says one anew."""

    first: str
    """The first,
    told anew."""
    added: int = Field(default=0, alias="more")
    """Added."""


def test_the_text_below_a_field_describes_it_and_one_without_has_none():
    assert descriptions(Base) == {"first": "The first.", "last": "Said in the field itself."}


def test_a_model_has_its_bases_descriptions_and_its_own_before_them():
    assert descriptions(Derived) == {
        "first": "The first,\ntold anew.",
        "last": "Said in the field itself.",
        "added": "Added.",
    }


def test_the_schema_has_them_by_the_keys_that_are_written():
    properties = Derived.model_json_schema(by_alias=True)["properties"]
    assert properties["more"]["description"] == "Added."
    assert properties["last"]["description"] == "Said in the field itself."
    assert "description" not in properties["bare"]
