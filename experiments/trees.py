"""Metric trees: a total as the product of its factors, and what each contributed to its latest change.

Revenue is visitors × the share that buys × orders of a buyer × the worth of an order. A change of one factor
propagates through the product, and the tree says how much of the whole it explains. What the last four weeks
were, and the four before, was counted with the pasts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis import NotEstimable
from analysis.decomposition import Part, decompose
from experiments.metrics import MetricDraft
from experiments.observe.flows import Flow, is_product
from experiments.pasts import Past
from experiments.registry import Metric

VISITORS, SHARE, FREQUENCY, WORTH = _OF_A_SUM = ("visitors", "share", "frequency", "worth")


@dataclass(frozen=True, slots=True)
class Branch:
    """One factor.

    Attributes
    ----------
    name
        ``visitors``, ``share`` of them that do it, ``frequency`` for each that does, ``worth`` of each time.
    metric
        The metric that measures it, where there is one.
    contribution
        In the units of the total; the contributions of all branches add up to its change.
    change
        Of the factor itself, relative to before.
    """

    name: str
    metric: Metric | None
    before: float
    after: float
    contribution: float
    change: float


@dataclass(frozen=True, slots=True)
class Tree:
    """A total in the four weeks before and in the last four.

    ``branches`` is empty where a factor was nought, so that nothing can be shared out.
    """

    root: Metric
    before: float
    after: float
    branches: tuple[Branch, ...]

    @property
    def change(self) -> float:
        """How much more it was."""
        return self.after - self.before


def tree_of(metric: Metric, known: Mapping[str, Metric], pasts: Mapping[str, Past]) -> Tree | None:
    """The tree that a metric is the root or a factor of; None where it is part of none, or nothing is known.

    Parameters
    ----------
    known
        All metrics by key.
    pasts
        Their pasts by key, of one type of unit.
    """
    root = _root_of(metric, known)
    past = None if root is None else pasts.get(root.key)
    if root is None or past is None or past.flows is None or past.version != root.version:
        return None
    before, after = past.flows
    parts = decompose(_factors(root.definition, before), _factors(root.definition, after))
    measured = _measuring(root, known)
    branches = [] if isinstance(parts, NotEstimable) else [_branch(each, measured) for each in parts]
    return Tree(root, before.total, after.total, tuple(branches))


def _branch(part: Part, measured: Mapping[str, Metric]) -> Branch:
    return Branch(part.name, measured.get(part.name), part.before, part.after, part.contribution, part.change)


def _root_of(metric: Metric, known: Mapping[str, Metric]) -> Metric | None:
    """The total that the metric is part of and that has most factors: itself, where it has as many."""
    own = metric.definition
    if own.numerator is not None and own.numerator in known:
        own = known[own.numerator].definition
    if not is_product(own):
        return None
    alike = _alike(own, known)
    return min(alike, key=lambda each: (-len(_names(each.definition)), each.key != metric.key))


def _alike(metric: MetricDraft, known: Mapping[str, Metric]) -> list[Metric]:
    """The totals of the same events, those without a window or a scale of their own first."""
    same = (each for each in known.values() if each.definition.events == metric.events)
    found = [each for each in same if is_product(each.definition) and each.definition.where == metric.where]
    return sorted(
        found, key=lambda each: (each.definition.scale != 1, each.definition.window or "", each.key)
    )


def _names(metric: MetricDraft) -> tuple[str, ...]:
    """The factors of a metric's total."""
    if metric.kind == "proportion":
        return _OF_A_SUM[:2]
    return _OF_A_SUM if metric.aggregation == "sum" else _OF_A_SUM[:3]


def _factors(metric: MetricDraft, flow: Flow) -> dict[str, float]:
    quotients = {
        VISITORS: float(flow.visitors),
        SHARE: flow.units / flow.visitors if flow.visitors else 0.0,
        FREQUENCY: flow.events / flow.units if flow.units else 0.0,
        WORTH: flow.total / flow.events if flow.events else 0.0,
    }
    return {name: quotients[name] for name in _names(metric)}


def _measuring(root: Metric, known: Mapping[str, Metric]) -> dict[str, Metric]:
    """The metrics that measure the factors of a total."""
    alike = _alike(root.definition, known)
    shares, counts, sums = (
        [each.key for each in alike if _names(each.definition) == _OF_A_SUM[:length]] for length in (2, 3, 4)
    )
    found = {SHARE: known[shares[0]]} if shares else {}
    for each in known.values():
        if each.definition.numerator in counts and each.definition.denominator in shares:
            found[FREQUENCY] = each
        if each.definition.numerator in sums and each.definition.denominator in counts:
            found[WORTH] = each
    return found
