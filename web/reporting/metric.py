"""A metric's page: its definition with the SQL behind it, its last weeks, what moved it, and who uses it."""

from dataclasses import dataclass
from datetime import datetime

from experiments.metric_uses import Uses, uses_of
from experiments.observe import Engine
from experiments.pasts import Past, find_pasts, past_statement
from experiments.registry import Metric, find_metrics, list_metrics, list_versions
from experiments.store import Session
from experiments.timeline import timeline_of
from experiments.trees import Tree, tree_of
from web.charts import Chart, contributions_chart, days_chart
from web.wording.language import gettext
from web.wording.metric_history import VersionLine, version_lines
from web.wording.tables import Table
from web.wording.trees import bars_of, tree_formula, tree_sentence, tree_table


@dataclass(frozen=True, slots=True)
class ShownTree:
    """A tree on the page: its formula and sentence, its table and figure, and the metrics of its factors."""

    formula: str
    sentence: str
    table: Table
    chart: Chart | None
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class MetricPage:
    """All that the page shows."""

    metric: Metric
    past: Past | None
    days: Chart | None
    tree: ShownTree | None
    uses: Uses
    versions: tuple[VersionLine, ...]
    statement: str


def metric_page(*, session: Session, engine: Engine, key: str, now: datetime) -> MetricPage:
    """Lay a metric out.

    Raises
    ------
    NotFound
        If there is none of that key.
    """
    metric = find_metrics(session=session, keys=[key])[key]
    known = {each.key: each for each in list_metrics(session=session)}
    pasts = find_pasts(session=session)
    tree = tree_of(metric, known, pasts)
    versions = list_versions(session=session, key=key)
    return MetricPage(
        metric=metric,
        past=pasts.get(key),
        days=_days(metric, pasts.get(key)),
        tree=None if tree is None else _shown(tree, metric),
        uses=uses_of(session=session, key=key),
        versions=version_lines(versions, timeline_of(session=session, key=f"metric:{key}")),
        statement=past_statement(engine=engine, metric=metric, known=known, now=now),
    )


def _days(metric: Metric, past: Past | None) -> Chart | None:
    if past is None or not past.daily:
        return None
    named = " → ".join(metric.definition.events) or gettext("any event")
    label = gettext("Units a day with “%(event)s”", event=named)
    return days_chart([(each.day, float(each.units)) for each in past.daily], label=label)


def _shown(tree: Tree, metric: Metric) -> ShownTree:
    sentence = tree_sentence(tree)
    sign = 1 if tree.root.definition.direction == "increase" else -1
    chart = contributions_chart(bars_of(tree), sign=sign, label=sentence) if tree.branches else None
    others = (tree.root, *(each.metric for each in tree.branches if each.metric is not None))
    return ShownTree(
        formula=tree_formula(tree),
        sentence=sentence,
        table=tree_table(tree),
        chart=chart,
        metrics=tuple(each for each in others if each.key != metric.key),
    )
