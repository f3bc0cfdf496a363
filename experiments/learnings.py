"""Learnings: the searchable library of what experiments have taught."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from experiments.choices import ENDINGS, Choice
from experiments.concluded import Conclusion
from experiments.conclusions import restore
from experiments.store.outcomes import ConclusionRow

PAGE = 20
"""Learnings on a page."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of learnings, and how many there are in all."""

    conclusions: tuple[Conclusion, ...]
    count: int


def search_learnings(
    *,
    session: Session,
    text: str = "",
    outcome: Choice | None = None,
    metric: str = "",
    page: int = 1,
    limit: int = PAGE,
    below: int | None = None,
) -> Shelf:
    """Find what ended experiments have taught, the newest first.

    Parameters
    ----------
    text
        Words that the learning, the reason, the name or the hypothesis holds, every one of them; a language
        without spaces is one word, found anywhere.
    page
        From 1.
    limit
        Learnings on a page.
    below
        Only conclusions with a smaller number, for going on where a page ended.
    """
    conditions: list[ColumnElement[bool]] = [
        col(ConclusionRow.choice).in_([outcome] if outcome else list(ENDINGS))
    ]
    conditions += [
        col(ConclusionRow.searchable).like(f"%{_literal(word)}%", escape="\\")
        for word in text.casefold().split()[:20]
    ]
    if metric:
        conditions.append(col(ConclusionRow.metric) == metric)
    if below is not None:
        conditions.append(col(ConclusionRow.id) < below)
    count = session.exec(select(func.count()).select_from(ConclusionRow).where(*conditions)).one()
    query = (
        select(ConclusionRow)
        .where(*conditions)
        .order_by(col(ConclusionRow.id).desc())
        .limit(limit)
        .offset((max(1, page) - 1) * limit)
    )
    return Shelf(tuple(restore(session, list(session.exec(query)))), count)


def latest_conclusions(*, session: Session, count: int) -> list[Conclusion]:
    """The experiments that ended last."""
    query = (
        select(ConclusionRow)
        .where(col(ConclusionRow.choice).in_(list(ENDINGS)))
        .order_by(col(ConclusionRow.id).desc())
        .limit(count)
    )
    return restore(session, list(session.exec(query)))


def _literal(word: str) -> str:
    """A word for a pattern in which nothing has a meaning of its own."""
    for sign in ("\\", "%", "_"):
        word = word.replace(sign, "\\" + sign)
    return word
