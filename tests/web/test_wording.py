import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask

from analysis import Interval, Readout, Recommendation
from experiments.catalog import find_experiment
from experiments.registry import find_metrics
from tests.web import scenes
from tests.web.scenes import Scene, readout_in
from web.deployment import Deployment
from web.wording import Names, conclude, four_checks, numbers
from web.wording.changes import difference_with_range, is_share, per_thousand, sentence_of
from web.wording.facts import facts_of
from web.wording.hypothesis import hypothesis_sentence
from web.wording.measures import Measure
from web.wording.methods import detail, interval_note, methods_of
from web.wording.names import names_of
from web.wording.readings import chip_of, if_nothing_changed
from web.wording.verdict import beats

FORBIDDEN = re.compile(
    r"\bno effect\b|no difference|winner|chance (that|to be)|\bsignificant|trophy|!|\bnan\b|\binf\b|None",
    re.I,
)


def read(app: Flask, scene: Scene) -> tuple[Readout, Names]:
    deployment: Deployment = app.extensions["evenhand"]
    with deployment.store.read() as session:
        experiment = find_experiment(session=session, key=scene.key)
        metrics = find_metrics(session=session, keys=experiment.definition.metrics.keys)
        return readout_in(session, scene), names_of(experiment, metrics)


@pytest.fixture(params=["en", "zh-CN"])
def both_languages(request: pytest.FixtureRequest, gallery: Flask) -> Iterator[Flask]:
    with gallery.test_request_context(headers={"Accept-Language": request.param}):
        yield gallery


@pytest.fixture
def english(gallery: Flask) -> Iterator[Flask]:
    with gallery.test_request_context(headers={"Accept-Language": "en"}):
        yield gallery


def everything_said(readout: Readout, names: Names) -> list[str]:
    conclusion = conclude(readout, names)
    texts = [conclusion.headline, conclusion.tag, conclusion.frequency]
    texts += [*conclusion.sentences, *conclusion.causes]
    texts += [part for check in four_checks(readout, names) for part in (check.claim, check.grounds)]
    texts += [text for term in methods_of(readout, names) for text in term]
    texts.append(interval_note(readout))
    for finding in readout.comparisons:
        texts += [sentence_of(readout, names, finding), chip_of(readout, finding).word]
        texts += [text for term in detail(readout, names, finding) for text in term]
    return texts


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda scene: scene.key)
def test_nothing_forbidden_is_said_in_any_scene(both_languages: Flask, scene: Scene) -> None:
    readout, names = read(both_languages, scene)
    for text in everything_said(readout, names):
        assert not FORBIDDEN.search(text), text
        assert not re.search(r"%\(|\d-\d|(^|\s)-\d", text), text


def test_every_treatment_that_beats_the_control_is_named(english: Flask) -> None:
    readout, names = read(english, scenes.TOUCH)
    assert readout.verdict.recommendation is Recommendation.SHIP
    assert beats(readout, names) == "B, C and D beat A."
    conclusion = conclude(readout, names)
    assert conclusion.headline == "Ship B."
    assert conclusion.sentences[0] == "B, C and D beat A. The largest gain is with B."
    assert conclusion.sentences[1].startswith(
        "With B, Click-through rate rose from 0.35% to 1.47%: an increase of 318%"
    )
    assert re.fullmatch(r"Of every 1,000 units, that is about 11 more \(\d+ to \d+\)\.", conclusion.frequency)


def test_a_wrong_split_replaces_the_verdict(english: Flask) -> None:
    readout, names = read(english, scenes.VETERANS)
    conclusion = conclude(readout, names)
    assert conclusion.headline == "Do not read these results yet."
    assert "C received 30.5% of the units instead of 25.0%." in conclusion.sentences[0]
    assert ("C", "3,561", "30.5%", "25.0%") in conclusion.split
    assert len(conclusion.causes) == 4
    assert {term[0]: term[1] for term in methods_of(readout, names)}["Split check"].endswith(
        f"{numbers.p_equals(2.4e-41)}."
    )


def test_without_an_improvement_nothing_is_claimed(english: Flask) -> None:
    readout, names = read(english, scenes.THIRD_GRADER)
    conclusion = conclude(readout, names)
    assert conclusion.headline == "Stop: no clear effect."
    assert "the data fit both a rise and a fall" in " ".join(conclusion.sentences)
    assert conclusion.frequency == ""


def test_a_fixed_plan_is_silent_before_its_end(english: Flask) -> None:
    readout, names = read(english, scenes.EARLY)
    assert conclude(readout, names).headline == "Keep running: read it on Mar 29, 2026."
    assert {chip_of(readout, finding).word for finding in readout.comparisons} == {"Too early"}
    assert four_checks(readout, names)[3].grounds == "15 of 28 days"


def test_a_guardrail_beyond_its_limit_is_named(english: Flask) -> None:
    readout, names = read(english, scenes.HARM)
    conclusion = conclude(readout, names)
    assert conclusion.headline == "Roll back treatment."
    assert conclusion.sentences[0].startswith("Refund rate rose from 2.1% to 3.2%: an increase of")
    assert conclusion.sentences[0].endswith("That is beyond the harm limit of +8%.")


def test_an_open_limit_is_a_call_for_people(english: Flask) -> None:
    readout, names = read(english, scenes.OPEN_LIMIT)
    conclusion = conclude(readout, names)
    assert conclusion.headline == "Your call: the goal improved, a harm limit stays open."
    assert "Refund rate: harm up to +8% cannot be ruled out yet." in conclusion.sentences


def test_only_what_lies_inside_the_limit_is_ruled_out(english: Flask) -> None:
    readout, names = read(english, scenes.NOTHING)
    assert "Any change larger than ±2% is ruled out." in conclude(readout, names).sentences


def test_unlimited_and_inestimable_are_words(english: Flask) -> None:
    readout, names = read(english, scenes.FEW)
    paid, revenue = readout.comparisons
    assert paid.lift is not None
    assert numbers.lift_range(paid.lift) == "not limited by the data"
    assert "a fall of" in sentence_of(readout, names, paid)
    assert "points" in sentence_of(readout, names, paid)
    assert revenue.lift is None


def test_no_data_is_a_calm_state(english: Flask) -> None:
    readout, names = read(english, scenes.EMPTY)
    conclusion = conclude(readout, names)
    assert (conclusion.tone, conclusion.headline) == ("wait", "Nothing to read yet.")


def test_mixed_groups_are_named(english: Flask) -> None:
    readout, names = read(english, scenes.MIXED)
    assert "7.0% of the units were seen in more than one variant" in conclude(readout, names).sentences[0]


def test_chinese_says_the_same(gallery: Flask) -> None:
    with gallery.test_request_context(headers={"Accept-Language": "zh-CN"}):
        readout, names = read(gallery, scenes.TOUCH)
        conclusion = conclude(readout, names)
    assert conclusion.headline == "建议全量上线“B”。"
    assert conclusion.sentences[0] == "B、C和D优于A。其中B提升最大。"
    assert "由 0.35% 升至 1.47%，提升 318%，真实提升很可能在" in conclusion.sentences[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0372, "0.037"),
        (3.14e-44, "3.1\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁻⁴⁴"),
        (9.98e-44, "1.0\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁻⁴³"),
        (1e-300, "1.0\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁻³⁰⁰"),
        (0.0, "0"),
    ],
)
def test_small_p_values_are_powers_of_ten_with_one_digit_before_the_point(
    english: Flask, value: float, text: str
) -> None:
    assert numbers.p_value(value) == text


@pytest.mark.parametrize(
    ("p_value", "words"),
    [
        (1e-40, "in fewer than 1 of 1,000 experiments"),
        (0.03, "in 3 of 100 experiments"),
        (0.004, "in 0.4 of 100 experiments"),
        (0.42, "in 4 of 10 experiments"),
        (1.0, "in more than 9 of 10 experiments"),
    ],
)
def test_p_values_are_frequencies_without_the_change(english: Flask, p_value: float, words: str) -> None:
    text = if_nothing_changed(p_value, inference="fixed")
    assert text.startswith("If nothing had changed, a difference this large")
    assert words in text
    assert "at some look" in if_nothing_changed(p_value, inference="always_valid")


def test_a_p_value_with_its_name_breaks_nowhere(english: Flask) -> None:
    assert " " not in numbers.p_equals(2.4e-41)
    assert numbers.p_equals(0.29).replace("\N{NO-BREAK SPACE}", " ") == "p = 0.29"


def test_what_the_ends_of_a_stretch_of_days_share_is_said_once(gallery: Flask) -> None:
    first, last = date(2026, 3, 1), date(2026, 3, 15)
    with gallery.test_request_context(headers={"Accept-Language": "en"}):
        assert re.sub(r"\s", " ", numbers.days(first, last)) == "Mar 1 – 15, 2026"
    with gallery.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert numbers.days(first, last) == "2026年3月1日至15日"


def test_days_in_a_list_carry_their_year_only_where_it_changes(english: Flask) -> None:
    old, first, last = date(2025, 12, 31), date(2026, 3, 1), date(2026, 3, 15)
    assert [numbers.day_in([first, last])(each) for each in (first, last)] == ["Mar 1", "Mar 15"]
    assert numbers.day_in([old, first])(first) == "Mar 1, 2026"


def test_small_differences_are_told_of_a_larger_base(english: Flask) -> None:
    assert (
        per_thousand(Interval(-0.0002, -0.0003, -0.0001))
        == "Of every 10,000 units, that is about 2 fewer (1 to 3)."
    )


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0.069, 1, "+6.9%"), (-0.019, 1, "−1.9%"), (0.0, 1, "0.0%"), (-0.0001, 0, "0%"), (12.08, 0, "+1,208%")],
)
def test_changes_carry_a_sign_and_a_real_minus(
    english: Flask, value: float, decimals: int, text: str
) -> None:
    assert numbers.signed_percent(value, decimals) == text


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.0693, 0.0171, 0.1209), "+6.9% → +1.7% … +12.1%"),
        (Interval(3.18, 1.17, 12.08), "+318% → +117% … +1,208%"),
        (Interval(0.0153, 0.0122, 0.0182), "+1.53% → +1.22% … +1.82%"),
    ],
)
def test_lifts_are_rounded_to_their_uncertainty(english: Flask, interval: Interval, text: str) -> None:
    assert f"{numbers.lift(interval)} → {numbers.lift_range(interval)}" == text


def test_what_far_too_few_units_could_detect_has_no_digits(english: Flask) -> None:
    readout, names = read(english, scenes.FEW)
    assert "over ±1,000%" in [fact.value for fact in facts_of(readout, names)]


@pytest.mark.parametrize(
    ("measure", "interval", "text"),
    [
        (Measure("duration", "ms"), Interval(28.2, 22.4, 34.1), "+28.2\u202fms (+22.4 to +34.1)"),
        (Measure("currency", "EUR"), Interval(-1.5, -4.1, 1.1), "−€1.50 (−4.10 to +1.10)"),
        (Measure(), Interval(0.0123, -0.0031, 0.0277), "+0.012 (−0.003 to +0.028)"),
    ],
)
def test_absolute_changes_carry_their_unit_once_and_are_as_fine_as_their_interval(
    english: Flask, measure: Measure, interval: Interval, text: str
) -> None:
    readout, names = read(english, scenes.ONE_PAGE)
    finding = next(each for each in readout.comparisons if not is_share(readout, each.metric))
    counted = replace(names, measures={finding.metric: measure})
    assert difference_with_range(readout, counted, replace(finding, difference=interval)) == text


def test_hypotheses_are_composed_of_what_was_written(gallery: Flask, english: Flask) -> None:
    readout_scene = scenes.ONE_PAGE
    draft = readout_scene.definitions().experiments[0]
    assert hypothesis_sentence(draft.hypothesis) == (
        "If we merge the three checkout steps into one page for people who begin checkout, then more of them "
        "pay, because each extra page loses some of them."
    )
    assert hypothesis_sentence(type(draft.hypothesis)()) == ""
