"""The document: models of BokehJS, written as it reads them.

Bokeh's own classes look up the default of every property of every model, several times over: that takes forty
milliseconds for a figure, where all the words of its page take twenty. What they would write is small and
plain, so it is written here. The tests read every figure back with Bokeh, which knows each model, its
properties and what they may hold.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One of Bokeh's models: its name there, and the properties that are not as they are by themselves."""

    name: str
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """What a glyph takes from a column, mark by mark."""

    column: str


def model(name: str, **properties: Any) -> Model:
    """Name a model and its properties."""
    return Model(name, properties)


def write_document(root: Model, *, prefix: str) -> dict[str, Any]:
    """Write a model with everything it leads to, in the form of Bokeh's ``Document.to_json``.

    Parameters
    ----------
    prefix
        What the names of its models begin with: figures of one page must not share any.

    Examples
    --------
    >>> axis = model("LinearAxis", ticker=model("FixedTicker", ticks=[1, math.inf]))
    >>> write_document(model("Plot", below=[axis], grid=axis), prefix="p")["roots"][0]["attributes"]["grid"]
    {'id': 'p-1'}
    """
    return {"title": "", "config": None, "roots": [_Writer(prefix).write(root)]}


class _Writer:
    """Writes a model where it is first met, and its name wherever it is met again."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._names: dict[Model, str] = {}

    def write(self, value: Any) -> Any:
        match value:
            case Model():
                return self._model(value)
            case Field():
                return {"type": "field", "field": value.column}
            case Mapping():
                return {"type": "map", "entries": [[key, self.write(each)] for key, each in value.items()]}
            case list() | tuple():
                return [self.write(each) for each in value]
            case float() if not math.isfinite(value):
                return {"type": "number", "value": "nan" if math.isnan(value) else f"{value:+}"}
        return value

    def _model(self, value: Model) -> dict[str, Any]:
        if value in self._names:
            return {"id": self._names[value]}
        name = self._names[value] = f"{self._prefix}-{len(self._names)}"
        properties = {key: self.write(each) for key, each in value.properties.items()}
        return {"type": "object", "name": value.name, "id": name, "attributes": properties}
