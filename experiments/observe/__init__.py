"""Observation: from exposures and events to moments. The only place with analytical SQL and engines."""

from experiments.observe.counting import count
from experiments.observe.engines import Engine, open_engine
from experiments.observe.statement import Question, text_of

__all__ = ["Engine", "Question", "count", "open_engine", "text_of"]
