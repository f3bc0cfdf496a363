import re

import pytest

from analysis.adjust import Slope
from analysis.flags import Doubt
from analysis.methods import NAMES, describe

CARRIED = (
    *("welch", "score", "ratio", "quantile", "quantile_clustered", "restricted_mean"),
    *(f"{method}_{slope}" for method in ("cuped", "cuped_ratio", "cuped_linearised") for slope in Slope),
    *("fixed", "sequential", "always_valid", "group_sequential", "bayesian"),
    *("noninferiority", "log_rank", "srm", "srm_sequential", "srm_daily", "srm_segments", "srm_stages"),
    *("pre_period", "mix", "heterogeneity", "effect_drift", *Doubt),
)
"""What findings, what stands beside them, checks and flags name."""


@pytest.mark.parametrize("name", NAMES)
def test_every_method_says_what_it_is_and_shows_itself_at_work(name: str) -> None:
    method = describe(name)
    assert method is not None
    assert method.summary.endswith(".")
    assert method.paragraphs
    assert method.example.startswith(">>>")


@pytest.mark.parametrize("name", NAMES)
def test_every_method_says_where_it_comes_from(name: str) -> None:
    method = describe(name)
    assert method is not None
    assert method.references
    assert all(re.search(r"\((19|20)\d\d\)", reference) for reference in method.references)


def test_an_unknown_method_is_nobody() -> None:
    assert describe("astrology") is None


@pytest.mark.parametrize("name", CARRIED)
def test_every_name_that_a_result_carries_leads_to_a_description(name: str) -> None:
    assert describe(name) is not None
