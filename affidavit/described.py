"""What a model's fields mean, read from the texts below them when somebody asks.

Pydantic can read these itself (``use_attribute_docstrings``), but does so whenever a class is made, which takes longer
than making it; and only a schema or a page of documentation ever asks.
"""

import inspect
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    import ast

    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class Described(BaseModel):
    """Base of models whose fields are described by the texts below them, in the JSON Schema, too."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: "CoreSchema", handler: "GetJsonSchemaHandler") -> dict[str, Any]:
        """The schema with the fields' descriptions in it."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        known = descriptions(cls)
        for name, info in cls.model_fields.items():
            shown = properties.get(info.alias or name)
            if shown is not None and name in known:
                shown.setdefault("description", known[name])
        return schema


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """The descriptions of a model's fields by their names, those of its bases included."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _texts(inspect.getfile(one)).get(one.__qualname__, {})
    found |= {name: info.description for name, info in model.model_fields.items() if info.description}
    return found


@cache
def _texts(file: str) -> dict[str, dict[str, str]]:
    """For each class of a module the text below each of its annotated names."""
    import ast

    tree = ast.parse(Path(file).read_text("utf-8"))
    return {node.name: _below(node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _below(node: "ast.ClassDef") -> dict[str, str]:
    import ast

    found = {}
    for statement, after in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            found[statement.target.id] = inspect.cleandoc(after.value.value)
    return found
