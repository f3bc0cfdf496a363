"""Changes: what happened to a metric, in a sentence that never splits the interval from its estimate."""

from collections.abc import Callable
from dataclasses import dataclass

from analysis import Finding, Interval, Readout
from web.wording import numbers
from web.wording.funnels import points_change
from web.wording.language import gettext
from web.wording.names import Names
from web.wording.readings import inconclusive, not_estimable, overall, points

BASES = (1_000, 10_000, 100_000, 1_000_000)
"""Natural frequencies are told per thousand, or per the first larger number that makes the change whole."""


@dataclass(frozen=True, slots=True)
class Levels:
    """A metric in the two variants of a comparison, as written."""

    control: str
    treatment: str


SHARES = frozenset({"proportion", "retention", "funnel"})
"""Kinds of metrics that count units."""


def is_share(readout: Readout, metric: str) -> bool:
    """Whether the metric counts units, so that its levels are shares."""
    return any(each.key == metric and each.kind in SHARES for each in readout.plan.metrics)


def levels_of(readout: Readout, names: Names, finding: Finding) -> Levels:
    """Write the metric's level in both variants, as fine as for its other treatments; a dash for none."""
    written = level_words(readout, names, finding.metric)
    return Levels(written(finding.control_value), written(finding.treatment_value))


def level_words(readout: Readout, names: Names, metric: str) -> Callable[[float | None], str]:
    """How levels of a metric are written: all of them as fine as its comparisons ask for; a dash for none."""
    measure = names.measure(metric)
    share = is_share(readout, metric) or measure.format == "percent"
    group = [each for each in overall(readout) if each.metric == metric]
    values = [value for each in group for value in (each.control_value, each.treatment_value) if value]
    differences = [each.difference for each in group if each.difference is not None]
    decimals = numbers.level_decimals(values, differences, as_share=share)

    def written(value: float | None) -> str:
        return "–" if value is None else measure.level(value, decimals, as_share=share)

    return written


def difference_with_range(readout: Readout, names: Names, finding: Finding) -> str:
    """Write the absolute change with its interval, as fine as that asks for; the size carries the unit."""
    difference, measure = finding.difference, names.measure(finding.metric)
    if difference is None or is_share(readout, finding.metric) or measure.format == "percent":
        return points_change(difference)
    size = measure.change(difference.estimate, difference)
    if not difference.bounded:
        return gettext("%(size)s, not limited by the data", size=size)
    low, high = (measure.bare_change(end, difference) for end in (difference.low, difference.high))
    return gettext("%(size)s (%(low)s to %(high)s)", size=size, low=low, high=high)


def sentence_of(readout: Readout, names: Names, finding: Finding) -> str:
    """Tell what happened: from where to where, by how much, and how sure that is."""
    metric, share = names.metric(finding.metric), is_share(readout, finding.metric)
    if finding.difference is None:
        reason = not_estimable(finding.not_estimable or "")
        return gettext("%(metric)s cannot be estimated: %(reason)s.", metric=metric, reason=reason)
    levels = levels_of(readout, names, finding)
    if not finding.significant:
        fits = inconclusive(finding.difference, finding.lift, as_share=share)
        return gettext(
            "%(metric)s: %(control)s in the control and %(treatment)s in the treatment. %(fits)s",
            metric=metric,
            control=levels.control,
            treatment=levels.treatment,
            fits=fits,
        )
    return _moved(metric, levels, finding, as_share=share)


def _moved(metric: str, levels: Levels, finding: Finding, *, as_share: bool) -> str:
    size, low, high = _sizes(finding, as_share=as_share)
    words = {
        "metric": metric,
        "control": levels.control,
        "treatment": levels.treatment,
        "size": size,
        "low": low,
        "high": high,
    }
    if finding.difference is not None and finding.difference.estimate > 0:
        return gettext(
            "%(metric)s rose from %(control)s to %(treatment)s: an increase of %(size)s, likely between "
            "%(low)s and %(high)s.",
            **words,
        )
    return gettext(
        "%(metric)s fell from %(control)s to %(treatment)s: a decrease of %(size)s, likely between "
        "%(low)s and %(high)s.",
        **words,
    )


def _sizes(finding: Finding, *, as_share: bool) -> tuple[str, str, str]:
    """Size and ends of a change without their sign, relative where the data limit it, absolute otherwise."""
    if finding.lift is not None and finding.lift.bounded:
        decimals = numbers.lift_decimals(finding.lift)
        size, *ends = (numbers.percent(each, decimals) for each in _magnitudes(finding.lift))
    elif finding.difference is not None:
        size, *ends = (points(each, as_share=as_share) for each in _magnitudes(finding.difference))
    else:
        return "", "", ""
    return size, ends[0], ends[1]


def _magnitudes(interval: Interval) -> tuple[float, float, float]:
    low, high = sorted((abs(interval.low), abs(interval.high)))
    return abs(interval.estimate), low, high


def per_thousand(difference: Interval) -> str:
    """Tell a difference of shares as a natural frequency."""
    size, low, high = _magnitudes(difference)
    base = next((base for base in BASES if size * base >= 1), BASES[-1])
    words = {
        "base": numbers.whole(base),
        "size": numbers.whole(size * base),
        "low": numbers.whole(low * base),
        "high": numbers.whole(high * base),
    }
    if difference.estimate > 0:
        return gettext("Of every %(base)s units, that is about %(size)s more (%(low)s to %(high)s).", **words)
    return gettext("Of every %(base)s units, that is about %(size)s fewer (%(low)s to %(high)s).", **words)
