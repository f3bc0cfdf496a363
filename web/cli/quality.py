"""Commands about the quality of data."""

from datetime import timedelta
from pathlib import Path

import click

from experiments import quality, reconciliation
from experiments.errors import InvalidInput
from experiments.quality import Quality
from experiments.reconciliation import TOLERANCE, Difference
from web.cli.root import json_option, ready_store, say, settings_of
from web.deployment import clock


@click.command("check-data")
@click.option("--days", type=click.IntRange(1, 3_650), help="Look back this many days; without it, at all.")
@click.option(
    "--against",
    "file",
    type=click.Path(path_type=Path),
    help="Compare with another system's daily totals instead: CSV or JSON with day, event and count.",
)
@click.option("--keep", is_flag=True, help="Keep these totals, to be shown on the page Data.")
@json_option
def check_data_command(days: int | None, file: Path | None, *, keep: bool, as_json: bool) -> None:
    """Say what became of the messages of each event: accepted, duplicate, rejected, late, skewed.

    With --against, name the days that differ by more than 5 %; if there are any, it exits with 1.
    """
    if file is not None:
        _compare(file, keep=keep, as_json=as_json)
        return
    since = None if days is None else (clock() - timedelta(days=days - 1)).date()
    with ready_store(settings_of()) as store, store.read() as session:
        events = quality.by_event(session=session, since=since)
    document = {
        "events": [each.to_json() for each in events],
        "lateness": [{"lag": lag, "count": count} for lag, count in quality.lateness(events)],
    }
    say(document, as_json=as_json, text="\n".join(_lines(events)) or "no messages yet")


def _compare(file: Path, *, keep: bool, as_json: bool) -> None:
    try:
        draft = reconciliation.parse_totals(file.read_bytes())
    except OSError as problem:
        raise InvalidInput.at(str(file), f"cannot be read: {problem.strerror}") from problem
    with ready_store(settings_of()) as store:
        with store.read() as session:
            found = reconciliation.compare_with(session=session, draft=draft)
        if keep:
            with store.write() as session:
                reconciliation.report_totals(session=session, draft=draft, now=clock())
    apart = [each for each in found if not each.agrees]
    document = {"compared": len(found), "differing": len(apart), "differences": [e.to_json() for e in found]}
    say(document, as_json=as_json, text="\n".join(_differences(apart, len(found))))
    if apart:
        raise SystemExit(1)


def _differences(apart: list[Difference], compared: int) -> list[str]:
    lines = [f"{len(apart):,} of {compared:,} daily totals differ by more than {TOLERANCE:.0%}"]
    for each in apart:
        share = "they counted nothing" if each.share is None else f"{each.share:+.1%}"
        lines.append(f"  {each.day}  {each.event}: {each.theirs:,} there, {each.ours:,} here ({share})")
    return lines


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
