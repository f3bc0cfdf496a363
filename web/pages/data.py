"""Data: what became of the messages, the latest of them, and whether another system agrees."""

from datetime import timedelta

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from experiments import quality, reconciliation
from experiments.errors import InvalidInput, Problem
from experiments.roles import Scope
from web import deployment
from web.charts import lateness_chart
from web.pages.site import needs, site
from web.wording import data as words

DAYS = 30
"""Days that the page looks back on."""

MOST_UPLOADED = 1_000_000


@site.get("/data")
def show_data() -> str:
    """What became of the messages of the last month, by event and day."""
    since = (deployment.current().now() - timedelta(days=DAYS - 1)).date()
    with deployment.current().store.read() as session:
        events = quality.by_event(session=session, since=since)
        days = quality.by_day(session=session, since=since)
    bars = words.lateness_bars(quality.lateness(events))
    return render_template(
        "data.html",
        events=events,
        days=words.days_table(days),
        lateness=words.lateness_table(bars),
        chart=lateness_chart(bars) if events else None,
        event_name=words.event_name,
        oddities=words.oddities,
        span=DAYS,
    )


@site.get("/data/live")
def show_live() -> str:
    """The latest messages: send an event and see it here."""
    return render_template("live.html", messages=_messages(), chip=words.message_chip)


@site.get("/data/live/rows")
def show_live_rows() -> Response:
    """The same messages alone, for the script that looks again."""
    return make_response(render_template("_live_rows.html", messages=_messages(), chip=words.message_chip))


@site.get("/data/compare")
def show_comparison() -> str:
    """Another system's daily totals beside ours."""
    return _comparison([])


@site.post("/data/compare")
@needs(Scope.DATA)
def take_totals() -> AnyResponse | tuple[str, int]:
    """Take totals from a file or from what was pasted."""
    file = request.files.get("file")
    body = file.read(MOST_UPLOADED + 1) if file else b""
    body = body or request.form.get("totals", "").encode()
    try:
        if len(body) > MOST_UPLOADED:
            raise InvalidInput.at("", f"larger than {MOST_UPLOADED} bytes")
        draft = reconciliation.parse_totals(body)
    except InvalidInput as refusal:
        return _comparison(refusal.problems), 422
    with deployment.current().store.write() as session:
        reconciliation.report_totals(session=session, draft=draft, now=deployment.current().now())
    return redirect(url_for("pages.show_comparison"), 303)


def _comparison(problems: tuple[Problem, ...] | list[Problem]) -> str:
    with deployment.current().store.read() as session:
        differences = reconciliation.compare_totals(session=session)
    return render_template(
        "compare.html",
        differences=[each for each in differences if not each.agrees],
        count=len(differences),
        problems=problems[:10],
        typed=request.form.get("totals", ""),
        told=words.difference_told,
        tolerance=reconciliation.TOLERANCE,
    )


def _messages() -> list[quality.Message]:
    with deployment.current().store.read() as session:
        return quality.latest_messages(session=session)
