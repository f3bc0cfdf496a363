"""Reading: a figure as Bokeh takes it, which refuses models, properties and values that it does not know."""

import json
from collections.abc import Iterator
from typing import Any

from bokeh.document import Document
from bokeh.model import Model
from bokeh.plotting import figure

from analysis.figures import Canvas

BANNED = ("CustomJS", "CanvasTexture", "DataTable", "MathML", "TeX", "Ascii")


def written(drawn: Canvas) -> str:
    """The document as a page carries it: strict JSON, with nothing that a browser would run."""
    text = json.dumps(drawn.document(prefix="figure"), allow_nan=False)
    found = [name for name in BANNED if f'"{name}' in text]
    if found:
        raise ValueError(f"the figure holds {found}")
    return text


def read(drawn: Canvas) -> Any:
    """The figure in Bokeh's own classes. They check every value; a property that they lack they only log."""
    document = json.loads(written(drawn))
    known: dict[str, Any] = {**Model.model_class_reverse_map, "Figure": figure}
    unknown = [
        f"{each['name']}.{name}"
        for each in _models(document)
        for name in each["attributes"].keys() - known[each["name"]].properties()
    ]
    if unknown:
        raise ValueError(f"Bokeh does not know {unknown}")
    return Document.from_json(document).roots[0]


def _models(part: Any) -> Iterator[Any]:
    if isinstance(part, dict) and "attributes" in part:
        yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _models(each)
