"""The schedule in words: when an experiment runs, and what it means that two meet."""

from collections.abc import Mapping

from experiments.schedule import Overlap, Span
from web.wording import numbers
from web.wording.language import gettext


def span_sentence(span: Span) -> str:
    """Tell when an experiment runs."""
    if span.end is None:
        return gettext("from %(start)s, no end planned", start=numbers.day(span.start.date()))
    return numbers.days(span.start.date(), span.end.date())


def overlap_sentence(overlap: Overlap, titles: Mapping[str, str]) -> str:
    """Tell that two experiments meet, and whether that can disturb their results."""
    if overlap.metrics:
        metrics = numbers.listed([titles.get(key, key) for key in overlap.metrics])
        return gettext(
            "Both are judged by %(metrics)s. Units are drawn independently, so the results stay fair; if one "
            "change works only with the other, put them into one layer.",
            metrics=metrics,
        )
    return gettext("They share units, drawn independently, and are judged by different metrics.")
