"""The handlers of management: one use case each, around which `web.api.door` does the rest."""

from web.api.door import blueprint
from web.api.management import administration, catalogue, data, experiments, outcomes, people, readouts

__all__ = [
    "administration",
    "blueprint",
    "catalogue",
    "data",
    "experiments",
    "outcomes",
    "people",
    "readouts",
]
