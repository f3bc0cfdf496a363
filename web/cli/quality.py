"""Commands about the quality of data."""

from datetime import timedelta

import click

from experiments import quality
from experiments.quality import Quality
from web.cli.root import json_option, ready_store, say, settings_of
from web.deployment import clock


@click.command("check-data")
@click.option("--days", type=click.IntRange(1, 3_650), help="Look back this many days; without it, at all.")
@json_option
def check_data_command(days: int | None, *, as_json: bool) -> None:
    """Say what became of the messages of each event: accepted, duplicate, rejected, late, skewed."""
    since = None if days is None else (clock() - timedelta(days=days - 1)).date()
    with ready_store(settings_of()) as store, store.read() as session:
        events = quality.by_event(session=session, since=since)
    document = {
        "events": [each.to_json() for each in events],
        "lateness": [{"lag": lag, "count": count} for lag, count in quality.lateness(events)],
    }
    say(document, as_json=as_json, text="\n".join(_lines(events)) or "no messages yet")


def _lines(events: list[Quality]) -> list[str]:
    if not events:
        return []
    width = max(5, *(len(each.event) for each in events))
    head = ("accepted", "duplicate", "rejected", "late", "skewed", "to look into")
    lines = [f"{'event':<{width}}  {'  '.join(f'{name:>12}' for name in head)}"]
    for each in events:
        counts = (
            each.count("accepted"),
            each.count("duplicate"),
            each.rejected,
            each.late,
            each.count("skewed"),
            each.doubtful,
        )
        lines.append(f"{each.event:<{width}}  {'  '.join(f'{count:>12,}' for count in counts)}")
        lines += [f"{'':<{width}}    rejected: {code} {count:,}" for code, count in each.reasons.items()]
    return lines
