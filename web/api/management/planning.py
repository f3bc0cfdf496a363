"""Planning: what pasts say, what an experiment needs, what it lacks, and what is being typed."""

from typing import Any

from analysis import InvalidInput as WrongInput
from analysis.plain import written
from analysis.power import Design
from experiments import sheets
from experiments.catalog import find_experiment
from experiments.errors import InvalidInput, NotFound
from experiments.pasts import Past, find_pasts
from experiments.planning import Ask, look_ahead
from experiments.readiness import check_ready, may_start
from experiments.registry import find_metrics
from experiments.sheets import Sheet
from web.api.door import Asking, serves
from web.api.errors import BadQuery
from web.api.management.shapes import moment
from web.api.orders import OutlookQuestion, PastOptions, ReadinessOptions, SheetFilter
from web.api.replies import Reply, page_of


@serves("show_past")
def show_past(asking: Asking, key: str, wanted: PastOptions) -> Reply:
    """A metric's last four weeks."""
    find_metrics(session=asking.session, keys=[key])
    past = find_pasts(session=asking.session, unit_type=wanted.unit_type).get(key)
    if past is None:
        raise NotFound(f"the past of {key} has not been counted yet; the worker does so within some minutes")
    return Reply({**written(past), "daily_units": past.daily_units})


@serves("look_ahead")
def show_outlook(asking: Asking, wanted: OutlookQuestion) -> Reply:
    """Units and whole weeks."""
    past = _past(asking, wanted) if wanted.metric else None
    mean, variance, daily = _level(wanted, past)
    try:
        outlook = look_ahead(
            Ask(mean, variance, wanted.lift, daily, _design(wanted), share=wanted.share, weeks=wanted.weeks)
        )
    except (InvalidInput, WrongInput) as refusal:
        raise BadQuery.at("lift", f"no experiment answers this: {refusal}") from refusal
    shown = {"mean": mean, "variance": variance, "daily_units": daily}
    return Reply({**written(outlook), "past": shown})


@serves("check_ready")
def show_readiness(asking: Asking, key: str, wanted: ReadinessOptions) -> Reply:
    """What stands between an experiment and its start."""
    experiment = find_experiment(session=asking.session, key=key)
    points = check_ready(session=asking.session, experiment=experiment, weeks=wanted.weeks, now=asking.now)
    return Reply({"ready": may_start(points), "points": written(points)})


@serves("list_sheets")
def list_sheets(asking: Asking, wanted: SheetFilter) -> Reply:
    """What is being typed."""
    found = sheets.list_sheets(session=asking.session, author=wanted.author or None)
    return page_of(found, wanted, name="sheets", place=lambda each: [each.key], shown=_shown_sheet)


@serves("show_sheet")
def show_sheet(asking: Asking, key: str) -> Reply:
    """One sheet, as it was typed."""
    sheet = _sheet(asking, key)
    return Reply({**_shown_sheet(sheet), "typed": sheet.typed}, etag=str(sheet.revision))


@serves("discard_sheet")
def discard_sheet(asking: Asking, key: str) -> Reply:
    """One sheet thrown away."""
    sheet = _sheet(asking, key)
    sheets.drop_sheet(session=asking.session, key=key)
    return Reply(_shown_sheet(sheet))


def _past(asking: Asking, wanted: OutlookQuestion) -> Past:
    find_metrics(session=asking.session, keys=[wanted.metric])
    past = find_pasts(session=asking.session, unit_type=wanted.unit_type).get(wanted.metric)
    if past is None or past.mean is None:
        reason = past.missing if past is not None else "it was not counted yet"
        raise BadQuery.at("metric", f"its past is not known: {reason}; give numbers of your own")
    return past


def _level(wanted: OutlookQuestion, past: Past | None) -> tuple[float, float, float]:
    """Mean, variance and new units a day: what was given, what the past says, or what a share implies."""
    mean = wanted.mean if wanted.mean is not None or past is None else past.mean
    daily = wanted.daily_units if wanted.daily_units is not None or past is None else past.daily_units
    if mean is None or daily is None:
        raise BadQuery.at("daily_units" if daily is None else "mean", "needed, where no metric is named")
    if wanted.variance is not None:
        return mean, wanted.variance, daily
    if wanted.mean is None and past is not None and past.variance is not None:
        return mean, past.variance, daily
    if not 0 < mean < 1:
        raise BadQuery.at("variance", "needed, unless the mean is a proportion between 0 and 1")
    return mean, mean * (1 - mean), daily


def _design(wanted: OutlookQuestion) -> Design:
    return Design(
        weights=(1.0,) * wanted.variants,
        confidence=wanted.confidence,
        power=wanted.power,
        inference=wanted.inference,
        guardrails=wanted.guardrails,
    )


def _sheet(asking: Asking, key: str) -> Sheet:
    sheet = sheets.find_sheet(session=asking.session, key=key)
    if sheet is None:
        raise NotFound(f"nothing is being typed about {key!r}")
    return sheet


def _shown_sheet(sheet: Sheet) -> dict[str, Any]:
    return {
        "key": sheet.key,
        "author": sheet.author,
        "revision": sheet.revision,
        "stands_on": sheet.stands_on,
        "updated_at": moment(sheet.updated_at),
    }
