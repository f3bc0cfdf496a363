"""Addresses: every page that the application has, read from its own map, so that none is forgotten."""

from collections.abc import Iterator, Mapping

from flask import Flask
from werkzeug.routing import Rule

from tests.web.scenes import SCENES
from web import pages

SHARED = "/s/TOKEN"
"""Stands for a shared report, whose address is known only once it is shared."""

NOT_PAGES: Mapping[str, str] = {
    "asset": "a file",
    "enter": "leads on",
    "export_report": "downloads; the file has a test of its own",
    "metric_days": "downloads; the file has a test of its own",
    "open_form": "leads to the first step",
    "settings": "leads to the first of the settings",
    "show_live_rows": "a piece of a page",
    "static": "files",
    "try_door": "answers what a door answers",
    "vendor_bokeh": "a file",
}

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "appendix": ("/experiments/rich/appendix",),
    "choose_place": ("/layers/checkout/place?from=0&to=5000",),
    "compare_snapshots": (f"/experiments/rich/snapshots/{len(SCENES)}/{len(SCENES)}",),
    "confirm": tuple(f"/experiments/{key}" for key in ("touch/stop", "third-grader/archive", "warm/start")),
    "decide": tuple(f"/experiments/{key}/decide" for key in ("checkout-onepage", "harm", "third-grader")),
    "design": tuple(f"/experiments/{key}" for key in ("warm", "rich", "open-limit")),
    "edit_metric": ("/metrics/revenue/edit",),
    "edit_report": ("/experiments/rich/report/edit",),
    "edit_segment": ("/segments/nordic/edit",),
    "edit_threshold": ("/alerts/checkout-onepage/refund",),
    "explore": tuple(
        f"/experiments/rich/explore?tab={tab}" for tab in ("funnel", "retention", "segments", "channels")
    ),
    "health": ("/experiments/rich/health", "/experiments/veterans/health"),
    "metric_detail": ("/experiments/rich/results/paid",),
    "open_step": tuple(f"/experiments/warm/edit/{step}" for step in ("believe", "measure", "who", "check")),
    "report": ("/experiments/rich/report", "/experiments/empty/report"),
    "results": tuple(
        f"/experiments/{key}"
        for key in (
            *(
                f"{each}/results"
                for each in ("checkout-onepage", "touch", "veterans", "few", "empty", "rich")
            ),
            "rich/results?segment=lifecycle%3Dnew",
        )
    ),
    "retrospective": ("/experiments/open-limit/retrospective",),
    "shared": (SHARED,),
    "show_metric": ("/metrics/revenue",),
    "show_method": ("/methods/welch",),
    "show_previews": ("/experiments/warm/preview",),
    "show_reasons": ("/experiments/touch/why?unit=user-1",),
    "snapshots": ("/experiments/rich/snapshots",),
}
"""Pages with a part in their address."""

NOWHERE = "/nowhere"
MORE = (NOWHERE, "/calculator?baseline=10&mde=5&daily=1000", "/experiments?q=nothing-like-it")
"""A page that is not there, an answer, and a search that finds nothing."""


def addresses() -> Iterator[str]:
    """One address or more for every page."""
    for rule in page_rules():
        name = rule.endpoint.removeprefix("pages.")
        yield from EXAMPLES.get(name, () if rule.arguments else (rule.rule,))
    yield from MORE


def page_rules() -> list[Rule]:
    """What the map of addresses says can be opened."""
    app = Flask("web")
    pages.register(app)
    opened = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()))
    found = [rule for rule in opened if rule.endpoint.removeprefix("pages.") not in NOT_PAGES]
    return sorted(found, key=lambda rule: rule.rule)
