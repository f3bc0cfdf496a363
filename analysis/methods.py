"""Methods: every method under the name that readouts use, described by its own docstring.

The page of a method and the help of its function are the same text, so neither can grow old alone.
"""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis import (
    adjust,
    always_valid,
    bayes,
    beta_binomial,
    betting,
    capping,
    clusters,
    comparison,
    estimate,
    exact,
    flags,
    group_sequential,
    inference,
    lift,
    many_to_one,
    margins,
    multiplicity,
    novelty,
    permutation,
    pooling,
    power,
    proportions,
    quantile_regression,
    quantiles,
    ranks,
    rates,
    regression,
    sample_ratio,
    score,
    shrinkage,
    simulate,
    stagewise,
    survival,
    switchback,
)

_SECTION = re.compile(r"\n([A-Z][A-Za-z ]+)\n-+\n")


@dataclass(frozen=True, slots=True)
class Method:
    """A method as it describes itself.

    Attributes
    ----------
    summary
        One sentence.
    paragraphs
        What it assumes and how it is computed: of its function first, then of its module.
    references
        Where it comes from.
    example
        A session that runs.
    """

    name: str
    place: str
    summary: str
    paragraphs: tuple[str, ...]
    references: tuple[str, ...]
    example: str


_OBJECTS: Mapping[str, Any] = {
    "mean": estimate.mean,
    "proportion": estimate.proportion,
    "ratio": estimate.ratio,
    "quantile": quantiles.quantile,
    "welch": comparison.compare,
    "fieller": lift.lift_interval,
    "cuped": adjust.cuped,
    "cuped_ratio": adjust.cuped_ratio,
    "cuped_linearised": adjust.cuped_linearised,
    "regression_adjustment": regression.adjusted_fit,
    "interaction": regression.interaction,
    "clusters": clusters.effect_by_clusters,
    "difference_in_differences": clusters.difference_in_differences,
    "winsorise": capping.winsorise,
    "trimmed_mean": capping.trimmed_mean,
    "fixed": inference.FixedHorizon,
    "sequential": inference.Sequential,
    "always_valid": inference.AlwaysValid,
    "group_sequential": group_sequential.GroupSequential,
    "bayesian": bayes.Bayesian,
    "beta_binomial": beta_binomial.compare_betas,
    "final_inference": stagewise.final_inference,
    "anytime_regression": always_valid.anytime_coefficient,
    "bernoulli_sequence": always_valid.bernoulli_interval,
    "betting_sequence": betting.hedged_interval,
    "noninferiority": margins.relative_noninferiority,
    "equivalence": margins.equivalence,
    "holm": multiplicity.holm,
    "benjamini_hochberg": multiplicity.benjamini_hochberg,
    "dunnett": many_to_one.dunnett,
    "srm": sample_ratio.srm,
    "srm_sequential": sample_ratio.srm_sequential,
    "mix": sample_ratio.alike,
    "newcombe": proportions.newcombe,
    "score": proportions.compare_counts,
    "miettinen_nurminen": score.difference_interval,
    "fisher": exact.fisher_test,
    "barnard": exact.barnard_test,
    "boschloo": exact.boschloo_test,
    "permutation": permutation.exact_test,
    "rates": rates.compare_rates,
    "mann_whitney": ranks.mann_whitney,
    "hodges_lehmann": ranks.hodges_lehmann,
    "quantile_regression": quantile_regression.quantile_effect,
    "survival": survival.survival_curve,
    "restricted_mean": survival.Curve.restricted_mean,
    "log_rank": survival.log_rank,
    "switchback": switchback.switchback_effect,
    "heterogeneity": pooling.combine_estimates,
    "drawn_together": shrinkage.drawn_together,
    "effect_drift": novelty.effect_drift,
    "post_stratification": pooling.post_stratify,
    "mantel_haenszel": pooling.mantel_haenszel,
    "power": power.sample_size,
    "replay": simulate.replay,
    "few_events": flags.few_events,
    "skewed_allocation": flags.skewed_allocation,
    "dominant_unit": flags.dominant_unit,
    "too_good": flags.too_good,
    "identical_arms": flags.identical_arms,
    "sudden_jump": flags.sudden_jump,
    "covariate_differs": flags.covariate_differs,
    "denominator_moved": flags.denominator_moved,
    "peeked": flags.peeked,
}

_SAME: Mapping[str, str] = {
    **{f"cuped_{slope}": "cuped" for slope in adjust.Slope},
    **{f"cuped_ratio_{slope}": "cuped_ratio" for slope in adjust.Slope},
    **{f"cuped_linearised_{slope}": "cuped_linearised" for slope in adjust.Slope},
    "quantile_clustered": "quantile",
    "linearised": "ratio",
    "srm_daily": "srm",
    "srm_segments": "srm",
    "srm_stages": "srm",
    "pre_period": "covariate_differs",
}
"""Names that results and checks carry, for a method that is described under another."""

NAMES = tuple(_OBJECTS)
"""All methods that describe themselves."""


def describe(name: str) -> Method | None:
    """Describe a method; None when there is none of that name.

    Examples
    --------
    >>> describe("holm").references[0][:11]
    'Holm (1979)'
    """
    found = _OBJECTS.get(_SAME.get(name, name))
    if found is None:
        return None
    text = inspect.getdoc(found) or ""
    module = inspect.getmodule(found)
    about, sections = _split(text)
    around, outer = _split(inspect.getdoc(module) or "" if module else "")
    references = sections.get("References") or outer.get("References") or ""
    return Method(
        name=name,
        place=f"{found.__module__}.{found.__name__}",
        summary=about[0],
        paragraphs=(*about[1:], *around),
        references=tuple(_unwrapped(part) for part in re.split(r"\n\s*\n", references) if part.strip()),
        example=sections.get("Examples", "").strip(),
    )


def _split(text: str) -> tuple[list[str], dict[str, str]]:
    """Take a docstring apart into its paragraphs and its sections."""
    parts = _SECTION.split("\n" + text)
    paragraphs = [_unwrapped(part) for part in re.split(r"\n\s*\n", parts[0]) if part.strip()]
    return paragraphs, dict(zip(parts[1::2], parts[2::2], strict=True))


def _unwrapped(text: str) -> str:
    return " ".join(text.split()).replace("``", "")
