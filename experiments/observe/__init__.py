"""Observation: from exposures and events to moments. The only place with analytical SQL and engines."""

from experiments.observe.counting import count, count_all
from experiments.observe.question import Bots, Question
from experiments.observe.statement import text_of

__all__ = ["Bots", "Question", "count", "count_all", "text_of"]
