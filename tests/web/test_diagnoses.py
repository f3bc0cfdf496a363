"""Diagnoses: every check has words in both languages, and tells its place when it fails."""

from collections.abc import Iterator
from datetime import date

import flask_babel
import numpy as np
import pytest
from flask import Flask

from analysis import Moments, PlannedMetric, Readout, Role, Shape, read
from analysis.observation import Cut, Quality, Stage
from tests.analysis.observations import arm, observed, plan
from web import pages
from web.wording import numbers
from web.wording.health import diagnose, health_sentence, stage_word
from web.wording.names import Names

NAMES = Names({"sales": "Sales", "clicks": "Clicks"}, {"old": "Old", "new": "New"})


@pytest.fixture(scope="module")
def app() -> Flask:
    app = Flask("web")
    pages.register(app)
    return app


@pytest.fixture(params=["en", "zh_Hans_CN"])
def language(request: pytest.FixtureRequest, app: Flask) -> Iterator[str]:
    with app.app_context(), flask_babel.force_locale(request.param):
        yield request.param


def everything(*, broken: bool) -> Readout:
    """A readout for which every check was made, all of them failed or all passed."""
    after = 1.0 if broken else 0.0
    before = np.diag([25.0, 4.0])
    arms = {
        "old": Moments.from_summary(n=9_000, mean=[10.0, 5.0], var=before),
        "new": Moments.from_summary(n=9_000, mean=[10.3 + after, 5.0 + after], var=before),
    }
    uneven = {"old": 900, "new": 400 if broken else 905}
    seen = observed(
        {"sales": arms, "clicks": {"old": arm(0.0 if broken else 1.0, var=0.0)}},
        units={"old": 9_000, "new": 9_010},
        arrivals={date(2026, 3, 1): uneven, date(2026, 3, 3 if broken else 2): uneven},
        stages=(Stage("not_bot", uneven),),
        cuts=(
            Cut("channel", "ads", uneven, {}),
            Cut("channel", "mail", {"old": 900, "new": 900}, {}),
        ),
        shapes={"sales": Shape(18_000, 9.0, 0.02)},
        uncapped={"sales": {"old": arm(10.0, var=1e6 if broken else 25.0), "new": arm(10.3 + after)}},
        quality=Quality(100, 100, 50, 5, 5, {"sales": 3}) if broken else Quality(100, 100),
    )
    metrics = (
        PlannedMetric("sales", Role.PRIMARY, covariates=("spent",)),
        PlannedMetric("clicks", Role.SECONDARY),
    )
    return read(plan(*metrics, segments=("channel",)), seen, version="test")


def test_every_check_is_told_in_words(language: str) -> None:
    worded = diagnose(everything(broken=True), NAMES)
    assert len(worded) == 17
    for each in worded:
        assert each.advice
        assert each.threshold
        assert each.result not in ("", "–")
        assert (each.title.isascii(), each.advice.isascii()) == (language == "en",) * 2
        assert "_" not in each.title


def test_a_check_that_failed_tells_its_place(language: str) -> None:
    told = {each.name: each.result for each in diagnose(everything(broken=True), NAMES)}
    assert "ads" in told["srm_segments"]
    assert numbers.day(date(2026, 3, 1)) in told["srm_daily"]
    assert stage_word("not_bot") in told["srm_stages"]
    assert "Clicks" in told["silent_metrics"]
    calm = {each.name: each.result for each in diagnose(everything(broken=False), NAMES)}
    assert set(calm) == set(told)
    assert "channel" not in calm["srm_segments"]


def test_what_only_advises_does_not_say_that_the_data_are_broken(language: str) -> None:
    broken, calm = everything(broken=True), everything(broken=False)
    assert len(broken.advice) > 10
    assert broken.failed == ()
    assert {each.chip.tone for each in diagnose(broken, NAMES)} == {"quiet", "safe"}
    assert str(len(broken.advice)) in health_sentence(broken)
    assert calm.advice == ()
    assert str(len(calm.checks)) in health_sentence(calm)
