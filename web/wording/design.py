"""The design in words: variants, metrics and plan of an experiment, as lists of terms and texts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from experiments.catalog import Experiment, margins_of
from experiments.definition import ExperimentDraft, VariantDraft
from experiments.registry import Metric
from web.wording import numbers
from web.wording.language import gettext, ngettext
from web.wording.metric_sentences import metric_sentence
from web.wording.names import metric_title


@dataclass(frozen=True, slots=True)
class Item:
    """A thing with a name, a role or share, and how it is defined."""

    name: str
    key: str
    note: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its items."""

    heading: str
    items: tuple[Item, ...]


def sections(experiment: Experiment, metrics: Mapping[str, Metric]) -> tuple[Section, ...]:
    """Lay out what was designed."""
    draft = experiment.definition
    return (
        Section(gettext("Variants"), tuple(_variants(draft))),
        Section(gettext("Metrics"), tuple(_metrics(draft, metrics))),
        Section(gettext("Plan"), tuple(_plan(draft))),
    )


def _variants(draft: ExperimentDraft) -> Iterator[Item]:
    whole = sum(variant.weight for variant in draft.variants)
    for variant in draft.variants:
        share = numbers.tick_share(round(variant.weight / whole, 4))
        note = gettext("%(share)s, control", share=share) if variant.key == draft.control else share
        yield Item(variant.name or variant.key, variant.key, note, _value(variant))


def _value(variant: VariantDraft) -> str:
    return "" if variant.value is None else json.dumps(variant.value, ensure_ascii=False)


def _metrics(draft: ExperimentDraft, metrics: Mapping[str, Metric]) -> Iterator[Item]:
    margins = margins_of(draft, metrics)
    for key in draft.metrics.keys:
        metric = metrics[key]
        if key in draft.metrics.primary:
            role = gettext("primary")
        elif key in margins:
            limit = numbers.tick_share(margins[key])
            role = gettext("guardrail, may get worse by up to %(limit)s", limit=limit)
        else:
            role = gettext("secondary")
        yield Item(metric_title(metric), key, role, metric_sentence(metric.definition))


def _plan(draft: ExperimentDraft) -> Iterator[Item]:
    plan = draft.plan
    looks = {
        "fixed": gettext("one look, at the planned end"),
        "sequential": gettext("valid at every look up to the planned size"),
        "group_sequential": gettext("valid at the planned looks"),
        "always_valid": gettext("valid at every look"),
        "bayesian": gettext("what to believe after the data"),
    }
    yield _term(gettext("Confidence"), numbers.tick_share(plan.confidence), looks[plan.chosen_inference])
    yield _term(
        gettext("Traffic"), numbers.tick_share(draft.traffic / 10_000), gettext("of those who qualify")
    )
    if plan.days is not None:
        yield _term(gettext("Length"), ngettext("%(num)s day", "%(num)s days", plan.days), "")
    if plan.size is not None:
        yield _term(gettext("Size"), gettext("%(count)s units", count=numbers.whole(plan.size)), "")
    if plan.mde is not None:
        share = numbers.tick_share(plan.mde)
        yield _term(gettext("Smallest change worth detecting"), share, "")
    outside = draft.assignment == "external"
    who = gettext("another system assigns") if outside else gettext("Evenhand assigns")
    yield _term(gettext("Assignment"), who, draft.unit)


def _term(name: str, note: str, text: str) -> Item:
    return Item(name, "", note, text)
