"""Observation: from exposures and events to moments. The only place with analytical SQL and engines."""

from experiments.observe.counting import count
from experiments.observe.question import Question
from experiments.observe.statement import text_of

__all__ = ["Question", "count", "text_of"]
