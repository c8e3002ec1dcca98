"""Options that several verbs share: a parameter that is a dataclass of options stands for its fields."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def unfolded(verb: Callable[..., None]) -> Callable[..., None]:
    """Spread the dataclass parameters of a verb over its signature, as typer reads it, and fold them again at the call.

    Every field needs a default; fields of two groups must not share a name.
    """
    signature = inspect.signature(verb, eval_str=True)
    groups: dict[str, type[Any]] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation)
    }

    @wraps(verb)
    def call(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        verb(**values)

    spread = [
        option
        for name, parameter in signature.parameters.items()
        for option in (_options(groups[name]) if name in groups else [parameter])
    ]
    call.__signature__ = signature.replace(parameters=spread)  # type: ignore[attr-defined]  # inspect documents it
    call.__annotations__ = {option.name: option.annotation for option in spread} | {"return": None}
    return call


def _options(group: type[Any]) -> list[inspect.Parameter]:
    """The fields of a group as keyword-only parameters."""
    hints = get_type_hints(group, include_extras=True)
    found = []
    for field in fields(group):
        assert field.default is not MISSING, f"{group.__name__}.{field.name} needs a default"
        found.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=hints[field.name],
            )
        )
    return found
