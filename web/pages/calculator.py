"""The calculator: units and whole weeks for any numbers, without an experiment."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template, request

from analysis import InvalidInput as WrongInput
from analysis.power import Design
from experiments.errors import InvalidInput
from experiments.pasts import Past, find_pasts
from experiments.planning import Ask, Outlook, look_ahead
from experiments.registry import list_metrics
from web import deployment
from web.pages.site import site
from web.pages.typed import read_number
from web.wording.language import gettext

START = {
    "metric": "",
    "baseline": "10",
    "sd": "",
    "mde": "5",
    "variants": "2",
    "daily": "1000",
    "traffic": "100",
    "confidence": "95",
    "power": "80",
    "inference": "sequential",
    "weeks": "8",
}
MOST_VARIANTS = 20
MOST_WEEKS = 52


@dataclass(frozen=True, slots=True)
class Answer:
    """What the numbers come to, or what is wrong with them."""

    outlook: Outlook | None
    problem: str = ""


@site.get("/calculator", endpoint="calculator")
def show_calculator() -> str:
    """The form and its answer, both in the address, so that a plan can be linked."""
    typed = {name: request.args.get(name, default).strip() for name, default in START.items()}
    with deployment.current().store.read() as session:
        metrics, pasts = list_metrics(session=session), find_pasts(session=session)
    past = pasts.get(typed["metric"])
    if past is not None and past.mean is not None:
        typed = _with_past(typed, past)
    return render_template(
        "calculator.html",
        typed=typed,
        metrics=[each for each in metrics if (known := pasts.get(each.key)) and known.mean is not None],
        past=past,
        answer=_answer(typed, past),
    )


def _with_past(typed: dict[str, str], past: Past) -> dict[str, str]:
    """Fill in what the metric's last weeks say, unless the address says otherwise."""
    given = {} if "daily" in request.args else {"daily": f"{past.daily_units:.0f}"}
    return {**typed, **given, "baseline": "", "sd": ""}


def _answer(typed: Mapping[str, str], past: Past | None) -> Answer:
    try:
        return Answer(look_ahead(_ask(typed, past)))
    except ValueError as refusal:
        return Answer(None, str(refusal))
    except InvalidInput:
        return Answer(
            None, gettext("With these numbers no experiment is large enough, or one of them is out of range.")
        )


def _ask(typed: Mapping[str, str], past: Past | None) -> Ask:
    mean, variance = _level(typed, past)
    variants = int(_number(typed, "variants", gettext("Variants")))
    weeks = int(_number(typed, "weeks", gettext("Weeks in the table")))
    if not 2 <= variants <= MOST_VARIANTS:
        raise ValueError(gettext("Variants: write a number from 2 to %(most)s.", most=MOST_VARIANTS))
    confidence = _number(typed, "confidence", gettext("Confidence, per cent")) / 100
    power = _number(typed, "power", gettext("Chance of finding it, per cent")) / 100
    try:
        design = Design((1.0,) * variants, confidence, power, typed["inference"])
    except WrongInput as refusal:
        raise InvalidInput.at("plan", str(refusal)) from refusal
    return Ask(
        mean,
        variance,
        _number(typed, "mde", gettext("Smallest change worth finding, per cent")) / 100,
        _number(typed, "daily", gettext("New units a day")),
        design,
        share=_number(typed, "traffic", gettext("Traffic in the experiment, per cent")) / 100,
        weeks=min(max(weeks, 1), MOST_WEEKS),
    )


def _level(typed: Mapping[str, str], past: Past | None) -> tuple[float, float]:
    """Mean and variance per unit: a metric's own, a mean with its spread, or a share in per cent."""
    if past is not None and past.mean is not None and past.variance is not None:
        return past.mean, past.variance
    baseline = _number(typed, "baseline", gettext("Today's level"))
    if typed["sd"]:
        return baseline, _number(typed, "sd", gettext("Spread")) ** 2
    share = baseline / 100
    if not 0 < share < 1:
        raise ValueError(gettext("Today's level: a share lies between 0 and 100; a mean needs its spread."))
    return share, share * (1 - share)


def _number(typed: Mapping[str, str], name: str, label: str) -> float:
    number = read_number(typed[name])
    if number is None or number < 0:
        raise ValueError(gettext("%(field)s: write a number.", field=label))
    return number
