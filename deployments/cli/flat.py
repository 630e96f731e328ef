"""Options that belong together as one value: typer reads a command's parameters one by one, and here some of them are dataclasses."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints


def flatten(command: Callable[..., int]) -> Callable[..., int]:
    """The command as typer reads it: each field of a dataclass that it takes is a parameter of its own."""
    taken = list(signature(command, eval_str=True).parameters.values())
    groups: dict[str, Any] = {one.name: one.annotation for one in taken if is_dataclass(one.annotation)}

    @wraps(command)
    def run(**given: Any) -> int:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        return command(**given)

    flat = [each for one in taken for each in (_fields_of(one.annotation) if one.name in groups else [_keyword(one)])]
    # What `wraps` left there would lead typer back to the command as it is written.
    del run.__wrapped__
    run.__signature__ = signature(command).replace(parameters=flat)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in flat} | {"return": int}
    return run


def _keyword(one: Parameter) -> Parameter:
    return one.replace(kind=Parameter.KEYWORD_ONLY)


def _fields_of(group: Any) -> Iterator[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=_default_of(field), annotation=hints[field.name])


def _default_of(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default
