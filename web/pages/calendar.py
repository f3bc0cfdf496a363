"""The calendar: what runs when, layer by layer, and which experiments meet the same units."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import render_template, request, url_for

from analysis.figures.strips import Stretch, time_stretch
from experiments import registry, schedule
from experiments.schedule import Schedule, Span
from web import deployment
from web.pages.site import site
from web.wording import numbers
from web.wording.names import metric_title
from web.wording.overlaps import overlap_sentence, span_sentence
from web.wording.states import status_chip

WEEKS = 12
"""Weeks on the page: most of them before today, some after."""

BEFORE = 7
"""Weeks of them that lie before the present one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An experiment on its line."""

    span: Span
    stretch: Stretch
    told: str
    open_end: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A layer's lines."""

    layer: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """A mark on the axis."""

    stretch: Stretch
    told: str


@site.get("/calendar")
def show_calendar() -> str:
    """Twelve weeks around a day."""
    now = deployment.current().now()
    monday = _monday(_day_asked_for() or now.date())
    since = datetime.combine(monday - timedelta(weeks=BEFORE), datetime.min.time(), now.tzinfo)
    until = since + timedelta(weeks=WEEKS)
    with deployment.current().store.read() as session:
        found = schedule.schedule_of(session=session, since=since, until=until)
        titles = {each.key: metric_title(each) for each in registry.list_metrics(session=session)}
    return render_template(
        "calendar.html",
        rows=_rows(found),
        weeks=[_week(since, number, until) for number in range(WEEKS)],
        today=time_stretch(now, now, since=since, until=until) if since <= now < until else None,
        overlaps=[(each, overlap_sentence(each, titles)) for each in found.overlaps],
        chip=status_chip,
        since=since.date(),
        until=(until - timedelta(days=1)).date(),
        earlier=url_for("pages.show_calendar", day=(monday - timedelta(weeks=WEEKS)).isoformat()),
        later=url_for("pages.show_calendar", day=(monday + timedelta(weeks=WEEKS)).isoformat()),
    )


def _rows(found: Schedule) -> list[Row]:
    return [Row(lane.layer, tuple(_bar(each, found) for each in lane.spans)) for lane in found.lanes]


def _bar(span: Span, found: Schedule) -> Bar:
    stretch = time_stretch(span.start, span.end, since=found.since, until=found.until)
    return Bar(span, stretch, span_sentence(span), span.end is None)


def _week(since: datetime, number: int, until: datetime) -> Week:
    first = since + timedelta(weeks=number)
    stretch = time_stretch(first, first + timedelta(weeks=1), since=since, until=until)
    return Week(stretch, numbers.short_day(first.date()))


def _day_asked_for() -> date | None:
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None
    return day if 1971 <= day.year <= 8999 else None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
