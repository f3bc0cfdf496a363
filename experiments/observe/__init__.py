"""Observation: from exposures and events to moments. The only place with analytical SQL and engines."""

from experiments.observe.counting import count, count_all
from experiments.observe.engines import Engine, open_engine
from experiments.observe.question import Bots, Question
from experiments.observe.statement import text_of

__all__ = ["Bots", "Engine", "Question", "count", "count_all", "open_engine", "text_of"]
