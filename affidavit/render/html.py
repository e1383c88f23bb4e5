"""Views to HTML: the one Jinja environment, in which everything is escaped and nothing may be missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from markupsafe import Markup

from affidavit.resources import templates_dir
from affidavit.types import AffidavitError, Diagnostic, Pos

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
"""Content Security Policy of every page: no script, nothing from elsewhere."""


class _Compiled(BytecodeCache):
    """Templates as they were compiled in this process; one whose text has changed since is compiled anew."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        # The bucket passes over what was made from another text than its own.
        bucket.bytecode_from_string(self._kept.get(bucket.key, b""))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def environment(templates: Sequence[Path] = ()) -> Environment:
    """The Jinja environment; templates are sought in the folders in order, then in the program's own."""
    own = templates_dir()
    folders = [*templates, *([] if own in templates else [own])]
    made = Environment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=_COMPILED,
    )
    made.filters["ticks"] = ticks
    return made


def ticks(text: str) -> Markup:
    """Our own words with what stands between backticks as code; nothing else of Markdown."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(one) if at % 2 else one for at, one in enumerate(parts))


def render(env: Environment, name: str, **values: Any) -> str:
    """A template with its values. AffidavitError names the template that is at fault."""
    try:
        return env.get_template(name).render(policy=POLICY, **values)
    except TemplateSyntaxError as error:
        place = Pos(f"templates/{error.name or name}", error.lineno)
        raise AffidavitError(Diagnostic(place, "bad-template", error.message or "cannot be read")) from None
    except TemplateError as error:
        place = Pos(f"templates/{name}")
        raise AffidavitError(Diagnostic(place, "bad-template", error.message or type(error).__name__)) from None


def read_file(env: Environment, name: str) -> bytes:
    """A file of the template folders as it is, such as a style sheet."""
    assert env.loader is not None
    return env.loader.get_source(env, name)[0].encode()
