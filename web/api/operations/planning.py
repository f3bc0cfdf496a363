"""Operations for whoever plans: pasts of metrics, outlooks, the checklist before a start, and sheets."""

from experiments.roles import Scope
from web.api.operation import managed
from web.api.orders import OutlookQuestion, PastOptions, ReadinessOptions, SheetFilter

_SHEET = {
    "key": "checkout",
    "author": "Ada",
    "revision": 12,
    "stands_on": 0,
    "updated_at": "2026-03-15T09:30:00+00:00",
}

PLANNING = (
    managed(
        "GET /metrics/{key}/past",
        "show_past",
        Scope.READ,
        "Show what the last four weeks say about a metric.",
        "The worker counts it every six hours, and when the metric is changed: the level that an experiment "
        "would have measured, and its variance between units. Where nothing could be estimated, missing says "
        "why, such as nobody or no_variation. Flows are what came in the four weeks before and in the last "
        "four, for a metric that is a product of factors.",
        query=PastOptions,
        answer={
            "metric": "paid",
            "unit_type": "user_id",
            "version": 2,
            "as_of": "2026-03-15T09:30:00+00:00",
            "units": 28_400,
            "mean": 0.118,
            "variance": 0.104,
            "weekly_units": [7_100, 7_050, 7_150, 7_100],
            "daily": [{"day": "2026-03-14", "units": 120, "events": 131, "total": 131.0}],
            "missing": "",
            "flows": [
                {"visitors": 27_900, "units": 3_210, "events": 3_400, "total": 3_210.0},
                {"visitors": 28_400, "units": 3_351, "events": 3_550, "total": 3_351.0},
            ],
            "daily_units": 1_014.3,
        },
        statuses={404: "No such metric, or its past was not counted yet."},
    ),
    managed(
        "GET /outlook",
        "look_ahead",
        Scope.READ,
        "Say how many units and whole weeks an experiment needs.",
        "Name a metric, and its last four weeks say what is not given; or give mean and daily_units, and the "
        "variance unless the mean is a proportion. The control's units come first.",
        query=OutlookQuestion,
        statuses={404: "There is no metric of this key."},
        answer={
            "needed": {"by_variant": [29_000, 29_000], "total": 58_000},
            "duration": {"days": 58, "weeks": 9},
            "table": [{"week": 1, "units": 7_000, "lift": 0.14, "difference": 0.017}],
            "reached": 0.048,
            "past": {"mean": 0.118, "variance": 0.104, "daily_units": 1_014.3},
        },
    ),
    managed(
        "GET /experiments/{key}/readiness",
        "check_ready",
        Scope.READ,
        "Go through the checklist before an experiment's start.",
        "Codes never change. A point that blocks has to be settled first; any other is advice.",
        query=ReadinessOptions,
        answer={
            "ready": True,
            "points": [{"code": "goal", "settled": True, "blocks": True, "names": []}],
        },
    ),
    managed(
        "GET /sheets",
        "list_sheets",
        Scope.READ,
        "List what is being typed in forms and not written down yet.",
        "By key, without those of experiments that are over. What stands on 0 is no experiment yet.",
        query=SheetFilter,
        answer={"sheets": [_SHEET], "next": None},
    ),
    managed(
        "GET /sheets/{key}",
        "show_sheet",
        Scope.READ,
        "Show what is being typed about an experiment.",
        answer={**_SHEET, "typed": {"texts": {"name": "One-page checkout"}}},
    ),
    managed(
        "DELETE /sheets/{key}",
        "discard_sheet",
        Scope.WRITE,
        "Throw away what is being typed; the experiment, where there is one, stays as it is.",
        answer=_SHEET,
    ),
)
