"""Learnings: the library of what experiments have taught, and what the whole programme achieved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import render_template, request, url_for

from analysis.figures.strips import Strip, farthest, strip_of
from analysis.programme import Effect
from experiments import catalog, learnings, programme, readouts, registry
from experiments.catalog import Experiment
from experiments.choices import ENDINGS, Choice
from experiments.concluded import Conclusion
from experiments.programme import Month
from experiments.registry import Metric
from web import deployment
from web.entries import Entry, entry_of
from web.pages.paging import page_asked_for, paging_of
from web.pages.site import site
from web.wording.decided import held_chip, outcome_chip
from web.wording.names import metric_title, reading_order
from web.wording.pace import impact_sentence, programme_facts

QUARTER = 3
"""Months that the pace always shows."""


@dataclass(frozen=True, slots=True)
class Card:
    """One learning, with the numbers of the readout that it was drawn from."""

    conclusion: Conclusion
    experiment: Experiment
    entry: Entry
    variant: str
    metric: str


@dataclass(frozen=True, slots=True)
class EffectLine:
    """An effect as it was measured and as it is expected to stay, on one scale with all others."""

    effect: Effect
    title: str
    metric: str
    measured: Strip
    expected: Strip

    @property
    def tone(self) -> str:
        """What the expected effect says, with the whole of its interval."""
        expected = self.effect.expected
        if not expected.excludes_zero:
            return "quiet"
        return "better" if expected.estimate > 0 else "worse"


@site.get("/learnings")
def show_learnings() -> str:
    """The library, narrowed by words, outcome and metric."""
    text, metric = request.args.get("q", "").strip(), request.args.get("metric", "")
    outcome = _outcome(request.args.get("outcome", ""))
    with deployment.current().store.read() as session:
        shelf = learnings.search_learnings(
            session=session, text=text, outcome=outcome, metric=metric, page=page_asked_for()
        )
        experiments = {each.key: each for each in catalog.list_experiments(session=session)}
        metrics = {each.key: each for each in registry.list_metrics(session=session)}
        ids = [each.snapshot for each in shelf.conclusions if each.snapshot]
        seen = readouts.find_snapshots(session=session, ids=ids)
    cards = [
        _card(each, experiments[each.experiment], metrics, seen.get(each.snapshot or 0))
        for each in shelf.conclusions
    ]
    asked = {name: value for name, value in request.args.items() if name != "page" and value}
    return render_template(
        "learnings.html",
        cards=cards,
        text=text,
        outcome=outcome,
        metric=metric,
        outcomes=[(each, outcome_chip(each).word) for each in ENDINGS],
        metrics=[(key, metric_title(each)) for key, each in metrics.items()],
        chip=outcome_chip,
        held=held_chip,
        paging=paging_of(
            count=shelf.count,
            size=learnings.PAGE,
            wanted=page_asked_for(),
            address=lambda page: url_for("pages.show_learnings", **{**asked, "page": page}),  # type: ignore[arg-type]  # names of our own form
        ),
    )


@site.get("/learnings/programme")
def show_programme() -> str:
    """What all experiments together achieved, and how the work goes."""
    with deployment.current().store.read() as session:
        found = programme.programme_of(session=session, now=deployment.current().now())
        titles = {each.key: each.title for each in catalog.list_experiments(session=session)}
        metrics = {each.key: metric_title(each) for each in registry.list_metrics(session=session)}
    months = _since_the_first(found.months)
    most = max((max(each.started, each.concluded) for each in months), default=0)
    return render_template(
        "programme.html",
        coverage=sorted(found.coverage, key=lambda row: (-row.used, reading_order(metric_title(row.metric)))),
        facts=programme_facts(found),
        effects=_effects(found.effects, titles, metrics),
        impacts=[impact_sentence(each, metrics.get(each.metric, each.metric)) for each in found.impacts],
        outcomes=[(outcome_chip(choice), count) for choice, count in found.outcomes.items()],
        most=max(1, most),
        months=months,
    )


def _outcome(wanted: str) -> Choice | None:
    return Choice(wanted) if wanted in set(ENDINGS) else None


def _since_the_first(months: Sequence[Month]) -> Sequence[Month]:
    """Leave out the months before anything happened, but always show a quarter."""
    busy = next((place for place, each in enumerate(months) if each.started or each.concluded), len(months))
    return months[min(busy, len(months) - QUARTER) :]


def _card(
    conclusion: Conclusion,
    experiment: Experiment,
    metrics: Mapping[str, Metric],
    snapshot: readouts.Snapshot | None,
) -> Card:
    names = {each.key: each.name or each.key for each in experiment.definition.variants}
    title = metric_title(metrics[conclusion.metric]) if conclusion.metric in metrics else conclusion.metric
    entry = entry_of(
        experiment, None if snapshot is None else snapshot.readout, metrics, about=conclusion.variant
    )
    return Card(conclusion, experiment, entry, names.get(conclusion.variant or "", ""), title)


def _effects(
    effects: tuple[Effect, ...], titles: Mapping[str, str], metrics: Mapping[str, str]
) -> list[EffectLine]:
    reach = farthest([interval for each in effects for interval in (each.measured, each.expected)])
    return [
        EffectLine(
            each,
            titles.get(each.experiment, each.experiment),
            metrics.get(each.metric, each.metric),
            strip_of(each.measured, reach=reach),
            strip_of(each.expected, reach=reach),
        )
        for each in effects
    ]
