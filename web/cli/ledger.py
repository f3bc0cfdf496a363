"""Commands that bring things in: definitions, exposures and events."""

from pathlib import Path

import click

from experiments import launch
from experiments.definition import parse_definitions
from experiments.errors import InvalidInput
from experiments.imports import FileKind, ImportReport, import_file
from experiments.intake import Intake
from experiments.pseudonyms import read_key
from experiments.store import Store
from experiments.tracking_plans import find_plan
from web.cli.root import json_option, progress_bar, ready_store, say, settings_of
from web.deployment import VERSION, clock
from web.settings import Settings

ACTOR = "command line"
SHOWN_ROWS = 20
_FORMS = {".json": "json", ".toml": "toml"}

_file = click.argument("file", type=click.Path(path_type=Path))


@click.command("apply")
@_file
@click.option("--new-phase", is_flag=True, help="Let changes move units: each begins a new phase.")
@click.option("--restart", is_flag=True, help="Start stopped experiments that FILE calls running again.")
@json_option
def apply_command(file: Path, *, new_phase: bool, restart: bool, as_json: bool) -> None:
    """Bring the catalogue to what FILE (.toml or .json) says; the same file again changes nothing."""
    form = _FORMS.get(file.suffix)
    if form is None:
        raise InvalidInput.at(str(file), "expected a file that ends in .toml or .json")
    try:
        text = file.read_bytes()
    except OSError as problem:
        raise InvalidInput.at(str(file), f"cannot be read: {problem.strerror}") from problem
    definitions = parse_definitions(text, form=form)  # type: ignore[arg-type]  # one of the two above
    with ready_store(settings_of()) as store, store.write() as session:
        changes = launch.apply(
            session=session,
            definitions=definitions,
            actor=ACTOR,
            now=clock(),
            new_phase=new_phase,
            restart=restart,
        )
    document = {"changes": [{"kind": each.kind, "key": each.key, "action": each.action} for each in changes]}
    lines = [f"{each.action:<10} {each.kind} {each.key}" for each in changes]
    if any(each.action == launch.LEFT_STOPPED for each in changes):
        lines.append("an experiment that was stopped is started again on its page, or by apply --restart")
    say(document, as_json=as_json, text="\n".join(lines) or "nothing to do")


@click.group("import")
def import_command() -> None:
    """Bring in exposures or events from files of other systems."""


def _importer(kind: FileKind, what: str) -> click.Command:
    @import_command.command(str(kind), help=what)
    @_file
    @click.option("--strict", is_flag=True, help="Import nothing if any row is bad.")
    @json_option
    def run(file: Path, *, strict: bool, as_json: bool) -> None:
        settings = settings_of()
        with ready_store(settings) as store, progress_bar(file.name) as progress:
            report = import_file(
                store=store,
                kind=kind,
                path=file,
                now=clock(),
                strict=strict,
                intake=_intake(settings, store),
                progress=progress,
            )
        _report(report, as_json=as_json)

    return run


_importer(
    FileKind.EXPOSURES,
    "Import exposures from FILE: CSV or JSON Lines, plain or .gz, with the columns experiment, user_id or "
    "anonymous_id, variant, timestamp[, attributes][, message_id].",
)
_importer(
    FileKind.EVENTS,
    "Import events from FILE: CSV or JSON Lines, plain or .gz, with the columns user_id or anonymous_id, "
    "event, timestamp[, value][, properties][, message_id].",
)


@import_command.command("summaries")
@_file
@click.option("--strict", is_flag=True, help="Import nothing if any row is bad.")
@click.option("--each", is_flag=True, help="Keep a readout of every checkpoint, not only of the last.")
@json_option
def import_summaries_command(file: Path, *, strict: bool, each: bool, as_json: bool) -> None:
    """Read experiments from totals in FILE: CSV or JSON Lines, plain or .gz, with the columns experiment,
    variant, n[, metric][, successes or mean and variance][, checkpoint or day].
    """  # noqa: D205 - shown as it is by --help
    from experiments.summaries import import_summaries  # late: it loads the statistics

    with ready_store(settings_of()) as store, progress_bar(file.name) as progress:
        report = import_summaries(
            store=store, path=file, now=clock(), version=VERSION, strict=strict, each=each, progress=progress
        )
    document = {
        "imported": report.rows,
        "readouts": dict(report.kept),
        "known": report.known,
        "rejected": [{"line": bad.line, "reason": bad.reason} for bad in report.rejected],
    }
    new = sum(report.kept.values())
    told = f"{report.rows:,} rows of {len(report.kept):,} experiments, {len(report.rejected):,} rejected"
    lines = [f"{told}; {new:,} new readouts, {report.known:,} known already"]
    lines += [f"  line {bad.line}: {bad.reason}" for bad in report.rejected[:SHOWN_ROWS]]
    say(document, as_json=as_json, text="\n".join(lines))


def _intake(settings: Settings, store: Store) -> Intake:
    """What is in force for rows that come in."""
    pseudonyms = read_key(settings.pseudonym_key.get_secret_value())
    with store.read() as session:
        return Intake(find_plan(session=session), pseudonyms=pseudonyms)


def _report(report: ImportReport, *, as_json: bool) -> None:
    document = {
        "imported": report.receipt.accepted,
        "duplicates": report.receipt.duplicates,
        "outdated": report.receipt.outdated,
        "rejected": [{"line": each.line, "reason": each.reason} for each in report.rejected],
        "rejected_total": report.rejected_total,
    }
    counts = f"{report.receipt.accepted:,} imported, {report.receipt.duplicates:,} known already"
    lines = [f"{counts}, {report.rejected_total:,} rejected"]
    if report.receipt.outdated:
        lines.append(f"  {report.receipt.outdated:,} older than what was forgotten, or of erased people")
    lines += [f"  line {each.line}: {each.reason}" for each in report.rejected[:SHOWN_ROWS]]
    if report.rejected_total > SHOWN_ROWS:
        lines.append(f"  … and {report.rejected_total - SHOWN_ROWS:,} more; --json lists the first thousand")
    say(document, as_json=as_json, text="\n".join(lines))
