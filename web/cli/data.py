"""Commands that take data out, let it go, or make it up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from experiments.errors import InvalidInput
from experiments.fields import length_of
from experiments.observe import parquet
from experiments.retention import Forgotten, forget_old, planned_limits
from experiments.seed import Size
from experiments.seeding import Seeded, plant, write_files
from experiments.store import Store
from web.cli.ledger import ACTOR
from web.cli.root import json_option, progress_bar, ready_store, say, settings_of
from web.deployment import clock


@click.command("export")
@click.option(
    "--parquet",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for the files; an earlier export in it is replaced.",
)
@json_option
def export_command(folder: Path, *, as_json: bool) -> None:
    """Write all exposures and events as Parquet, in folders by experiment and day."""
    settings = settings_of()
    with ready_store(settings) as store, progress_bar("Exporting") as progress:
        done = parquet.export(
            store=store, columns=settings.columns_path, target=folder, now=clock(), progress=progress
        )
    document = {"exposures": done.exposures, "events": done.events, "files": done.files}
    told = f"{done.exposures:,} exposures and {done.events:,} events in {done.files:,} files under {folder}"
    say(document, as_json=as_json, text=told)


@click.command("retain")
@click.option(
    "--older-than", help="How long rows are kept, such as 400d; without it, the tracking plan says so."
)
@click.option("--event", "events", multiple=True, help="Only events of this name; may be given again.")
@click.option("--dry-run", is_flag=True, help="Delete nothing, only count.")
@json_option
def retain_command(older_than: str | None, events: tuple[str, ...], *, dry_run: bool, as_json: bool) -> None:
    """Forget exposures and events that are older than they are to be kept; readouts stay."""
    settings = settings_of()
    with ready_store(settings) as store, progress_bar("Forgetting") as progress:
        limits, default = _limits(store, older_than, events)
        forgotten = forget_old(
            store=store,
            columns=settings.columns_path,
            limits=limits,
            default=default,
            now=clock(),
            dry_run=dry_run,
            progress=progress,
        )
    document = {
        "dry_run": dry_run,
        "forgotten": dict(forgotten.counts),
        "total": sum(forgotten.counts.values()),
        "identities": forgotten.identities,
        "rejections": forgotten.rejections,
        "unfinished": list(forgotten.unfinished),
    }
    say(document, as_json=as_json, text=_told(forgotten, dry_run=dry_run))


def _limits(
    store: Store, older_than: str | None, events: tuple[str, ...]
) -> tuple[dict[str, timedelta], timedelta | None]:
    """How long events are kept, by name and all others: what the options say goes before the plan."""
    if older_than is None:
        with store.read() as session:
            planned = planned_limits(session=session)
        if unknown := sorted(set(events) - set(planned)):
            raise InvalidInput.at("--event", f"the tracking plan does not say how long {unknown[0]} is kept")
        if not planned:
            raise InvalidInput.at("--older-than", "is missing, and the tracking plan lists no retention")
        return {name: planned[name] for name in events or planned}, None
    try:
        length = length_of(older_than)
    except ValueError as problem:
        raise InvalidInput.at("--older-than", str(problem)) from problem
    return dict.fromkeys(events, length), None if events else length


def _told(forgotten: Forgotten, *, dry_run: bool) -> str:
    verb = "would be forgotten" if dry_run else "forgotten"
    lines = [f"{sum(forgotten.counts.values()):,} rows {verb}"]
    lines += [f"  {count:>12,}  {name}" for name, count in forgotten.counts.items()]
    if forgotten.identities:
        lines.append(f"  {forgotten.identities:>12,}  identities beside")
    if forgotten.unfinished:
        lines.append(
            f"still running and counting fewer events from now on: {', '.join(forgotten.unfinished)}"
        )
    return "\n".join(lines)


@click.command("seed")
@click.option("--people", type=click.IntRange(1, 1_000_000_000), default=20_000, show_default=True)
@click.option("--days", type=click.IntRange(1, 3_650), default=28, show_default=True)
@click.option(
    "--seed", type=click.IntRange(0, 1_000_000), default=1, show_default=True, help="Which log of all."
)
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The day that the log ends before; today without it."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write files into this folder, not the ledger.")
@json_option
def seed_command(
    people: int, days: int, seed: int, until: datetime | None, out: Path | None, *, as_json: bool
) -> None:
    """Make up a product's log with known true effects: about eleven events for each of PEOPLE."""
    ends = (until or clock()).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    size = Size(people, days, ends - timedelta(days=days), seed)
    with progress_bar("Seeding") as progress:
        if out is not None:
            seeded = write_files(folder=out, size=size, progress=progress)
        else:
            with ready_store(settings_of()) as store:
                seeded = plant(store=store, size=size, actor=ACTOR, now=clock(), progress=progress)
    say(_document(seeded), as_json=as_json, text=_truth(seeded))


def _document(seeded: Seeded) -> dict[str, Any]:
    return {
        "exposures": seeded.exposures,
        "events": seeded.events,
        "new": seeded.receipt.accepted,
        "duplicates": seeded.receipt.duplicates,
        "forgotten": seeded.receipt.outdated,
        "effects": [
            {
                "experiment": each.experiment,
                "metric": each.metric,
                "control_value": each.control_value,
                "treatment_value": each.treatment_value,
                "difference": each.difference,
                "lift": each.lift,
            }
            for each in seeded.effects
        ],
    }


def _truth(seeded: Seeded) -> str:
    lines = [f"{seeded.exposures:,} exposures and {seeded.events:,} events; the true effects:"]
    lines += [f"  {each.experiment:<20} {each.metric:<10} {each.lift:+.2%}" for each in seeded.effects]
    return "\n".join(lines)
