"""Metrics: what one counts, in words, and its raw numbers in each variant."""

import json
from collections.abc import Iterator, Mapping

from analysis import Moments, Observation, Readout
from analysis.observation import QuantileSample
from experiments.metrics import MetricDraft
from experiments.registry import Metric
from web.wording import numbers
from web.wording.changes import is_share
from web.wording.language import gettext, html_tag
from web.wording.names import Names
from web.wording.tables import Table

Term = tuple[str, str]


def definition_terms(definition: MetricDraft) -> tuple[Term, ...]:
    """Tell how a metric turns events into one number per unit."""
    return tuple(_terms(definition))


def version_terms(counted: Metric, newest: Metric) -> tuple[Term, ...]:
    """Tell which version counts, and that another one has come since."""
    if counted.version == newest.version:
        return ((gettext("Version"), str(counted.version)),)
    told = gettext(
        "%(counted)s counts here, as the experiment began with it. Version %(newest)s is newer; it counts "
        "from the next phase on.",
        counted=counted.version,
        newest=newest.version,
    )
    return ((gettext("Version"), told),)


def raw_table(observation: Observation, readout: Readout, metric: str, names: Names) -> Table:
    """What the comparisons are made of, in each variant."""
    if metric in observation.quantiles:
        return _quantiles(observation.quantiles[metric], readout, metric, names)
    share = is_share(readout, metric)
    head = (
        gettext("Variant"),
        gettext("Units"),
        gettext("Sum"),
        gettext("Mean per unit"),
        gettext("Standard deviation"),
    )
    arms = observation.moments.get(metric, {})
    rows = tuple(
        (names.variant(variant), *_raw(arms.get(variant, Moments.empty()), as_share=share))
        for variant in readout.plan.weights
    )
    return Table(gettext("Raw numbers"), head, rows)


def _quantiles(samples: Mapping[str, QuantileSample], readout: Readout, metric: str, names: Names) -> Table:
    head = (gettext("Variant"), gettext("Units"), gettext("Values"), gettext("Quantile"))
    measure, rows = names.measure(metric), []
    for variant in readout.plan.weights:
        sample = samples.get(variant)
        if sample is None or sample.value is None:
            rows.append((names.variant(variant), numbers.whole(0), numbers.whole(0), "–"))
            continue
        decimals = numbers.decimals_of(abs(sample.value), digits=4)
        level = measure.level(sample.value, decimals, as_share=False)
        counts = (numbers.whole(sample.below.n), numbers.whole(sample.values))
        rows.append((names.variant(variant), *counts, level))
    return Table(gettext("Raw numbers"), head, tuple(rows))


def _raw(moments: Moments, *, as_share: bool) -> tuple[str, ...]:
    """The first variable: of a funnel its first step, of a ratio the numerator."""
    if not moments.n:
        return numbers.whole(0), "–", "–", "–"
    value = moments.value
    level = numbers.percent(value, 3) if as_share else numbers.number(value, 4)
    spread = numbers.number(moments.variance**0.5, 4) if moments.n > 1 else "–"
    return numbers.whole(moments.n), numbers.number(value * moments.n, 0), level, spread


def _terms(definition: MetricDraft) -> Iterator[Term]:
    kinds = {
        "proportion": gettext("Share of units with the event"),
        "mean": gettext("Mean per unit"),
        "ratio": gettext("Ratio of two metrics"),
        "retention": gettext("Share of units that come back"),
        "quantile": gettext("Quantile of all values"),
        "funnel": gettext("Share of units that reach the last step"),
        "time_to_event": gettext("Time until the event"),
    }
    yield gettext("Kind"), kinds.get(definition.kind, definition.kind)
    yield from _counted(definition)
    better = {"increase": gettext("more is better"), "decrease": gettext("less is better")}
    yield gettext("Direction"), better[definition.direction]
    if definition.window:
        yield gettext("Window after the exposure"), definition.window
    if definition.from_ and definition.to:
        yield gettext("Days after the exposure"), f"{definition.from_}{numbers.RANGE}{definition.to}"
    if definition.cap:
        level = numbers.percent(definition.cap.quantile, 2)
        yield gettext("Capped"), gettext("at the quantile of %(level)s over all units", level=level)
    if definition.unit:
        yield gettext("Unit of measure"), definition.unit
    if definition.owner:
        yield gettext("Owner"), definition.owner
    description = definition.description_in(html_tag())
    if description:
        yield gettext("Description"), description


def _counted(definition: MetricDraft) -> Iterator[Term]:
    """What of the events counts."""
    if definition.events:
        yield gettext("Event"), " → ".join(definition.events)
    if definition.numerator and definition.denominator:
        yield gettext("Ratio"), f"{definition.numerator} / {definition.denominator}"
    if definition.kind == "mean":
        sums = {
            "sum": gettext("sum of values"),
            "count": gettext("number of events"),
            "count_distinct": gettext("number of different values"),
            "max": gettext("largest value"),
            "last": gettext("last value"),
            "days": gettext("days with an event"),
            "sessions": gettext("sessions"),
        }
        yield gettext("Per unit"), sums[definition.aggregation]
    if definition.quantile is not None:
        yield gettext("Quantile"), numbers.percent(definition.quantile, 1)
    if definition.where is not None:
        yield gettext("Only where"), json.dumps(definition.where, ensure_ascii=False)
