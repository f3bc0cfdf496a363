"""Similar experiments: what was tried before, found by the words of a hypothesis."""

import re
from collections.abc import Iterator

from sqlmodel import Session

from experiments.catalog import Experiment, list_experiments

_WORD = re.compile(r"[^\W\d_]{3,}|\d+")
_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
_COMMON = frozenset(
    """
    and are for from has have more not one our than that the their them then they this will with you
    """.split()  # noqa: SIM905 - words read better than a list of them
)


def find_similar(*, session: Session, text: str, but: str = "", most: int = 3) -> list[Experiment]:
    """The experiments that share most words with a text, the closest first.

    Chinese is written without spaces, so pairs of neighbouring characters stand for words.
    """
    asked = set(_terms(text))
    if not asked:
        return []
    scored = [
        (len(asked & terms) / len(asked | terms), place, each)
        for place, each in enumerate(list_experiments(session=session))
        if each.key != but and asked & (terms := set(_terms(_written(each))))
    ]
    return [each for _, _, each in sorted(scored, key=lambda one: (-one[0], one[1]))[:most]]


def _written(experiment: Experiment) -> str:
    draft = experiment.definition
    return " ".join([draft.name, draft.description, *draft.tags, *draft.hypothesis.model_dump().values()])


def _terms(text: str) -> Iterator[str]:
    for run in _HAN.findall(text):
        yield from (run[place : place + 2] for place in range(len(run) - 1))
    for word in _WORD.findall(_HAN.sub(" ", text).casefold()):
        if word not in _COMMON:
            yield word.removesuffix("s")
