"""Commands that answer: decisions, analyses and readouts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from experiments import readouts
from experiments.catalog import find_experiment, list_experiments
from experiments.decisions import explain
from experiments.errors import InvalidInput, NotFound
from experiments.lifecycle import Status
from experiments.readouts import Snapshot
from experiments.registry import find_metrics
from experiments.reports import find_report
from experiments.store import Store
from web.appended import find_appendix
from web.cli.root import json_option, progress_bar, ready_store, say, settings_of
from web.deployment import VERSION, clock
from web.engine import engine_of
from web.reporting.comparisons import comparisons_csv
from web.reporting.subject import subject_of
from web.settings import Settings

_key = click.argument("key")

INTERACTING = 0.05
"""Below this adjusted p-value an effect is said to depend on another experiment."""


@click.command("analyze")
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Analyse every running experiment.")
@json_option
def analyze_command(keys: tuple[str, ...], *, everything: bool, as_json: bool) -> None:
    """Observe experiments, read them and keep the readouts."""
    from experiments import analyses  # late: the engine takes longer to load than a readout takes to show

    settings = settings_of()
    with ready_store(settings) as store:
        chosen = [*keys, *(_running(store) if everything else ())]
        if not chosen:
            raise click.UsageError("name at least one experiment, or give --all")
        with progress_bar(", ".join(dict.fromkeys(chosen))) as progress:
            snapshots = analyses.analyse_all(
                store=store,
                engine=engine_of(settings, store),
                keys=chosen,
                now=clock(),
                version=VERSION,
                progress=progress,
            )
        for snapshot in snapshots:
            key, verdict = snapshot.experiment, snapshot.document["verdict"]
            say({"experiment": key, "verdict": verdict}, as_json=as_json, text=f"{key}: {_told(verdict)}")


@click.command("readout")
@_key
@json_option
@click.option("--csv", "csv_path", type=click.Path(path_type=Path), help="Write the comparisons as CSV.")
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Write the report as one page.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", help="Of the report (en).")
def readout_command(
    key: str, *, as_json: bool, csv_path: Path | None, html_path: Path | None, language: str
) -> None:
    """Show the latest readout of KEY."""
    settings = settings_of()
    with ready_store(settings) as store:
        snapshot = _latest(store, key)
        with store.read() as session:
            document, _ = readouts.told(session=session, snapshot=snapshot)
        if html_path is not None:
            _write(html_path, _report_file(store, settings, snapshot, language))
    if csv_path is not None:
        _write(csv_path, comparisons_csv(snapshot.document))
    say(document, as_json=as_json, text=_summary(document))


@click.command("verify")
@_key
@json_option
def verify_command(key: str, *, as_json: bool) -> None:
    """Compute the latest readout of KEY again from its stored moments, and compare every byte."""
    with ready_store(settings_of()) as store:
        snapshot = _latest(store, key)
        with store.read() as session:
            same = readouts.recompute(session=session, snapshot=snapshot) == snapshot.text
    made_by = snapshot.document["version"]
    document = {"experiment": key, "same": same, "made_by": made_by, "verified_by": VERSION}
    said = "the same bytes" if same else "DIFFERENT bytes"
    say(document, as_json=as_json, text=f"{key}: {said} (made by {made_by}, verified by {VERSION})")
    if not same:
        raise SystemExit(1)


@click.command("assign")
@_key
@click.argument("unit")
@click.option("--attributes", default="{}", help="What is known of the unit, as a JSON object.")
@json_option
def assign_command(key: str, unit: str, *, attributes: str, as_json: bool) -> None:
    """Say which variant UNIT gets in KEY, and why. Nothing is recorded."""
    with ready_store(settings_of()) as store, store.read() as session:
        decision = explain(session=session, key=key, unit=unit, attributes=_attributes(attributes))
    document = {
        "key": decision.key,
        "unit": unit,
        "variant": decision.variant,
        "value": decision.value,
        "reason": decision.reason,
        "detail": decision.detail,
        "in_experiment": decision.in_experiment,
        "phase": decision.phase,
        "ruleset": decision.ruleset,
        "bucket": decision.bucket,
    }
    told = f"{unit} gets {decision.variant} in {key} ({decision.detail})"
    say(document, as_json=as_json, text=told)


def _report_file(store: Store, settings: Settings, snapshot: Snapshot, language: str) -> str:
    from web.reporting.offline import report_file  # late: figures take longer to load than a readout

    with store.read() as session:
        experiment = find_experiment(session=session, key=snapshot.experiment)
        metrics = find_metrics(session=session, keys=experiment.definition.metrics.keys)
        texts = find_report(session=session, key=snapshot.experiment).texts
    appendix = find_appendix(
        store=store, settings=settings, key=snapshot.experiment, now=snapshot.readout.as_of
    )
    subject = subject_of(experiment, metrics, texts)
    return report_file(subject, snapshot.readout, appendix, language=language)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as problem:
        raise InvalidInput.at(str(path), f"cannot be written: {problem.strerror}") from problem


def _attributes(text: str) -> dict[str, Any]:
    try:
        attributes = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InvalidInput.at("--attributes", f"not JSON: {problem}") from problem
    if not isinstance(attributes, dict):
        raise InvalidInput.at("--attributes", "expected a JSON object")
    return attributes


def _running(store: Store) -> list[str]:
    with store.read() as session:
        return [each.key for each in list_experiments(session=session, status=Status.RUNNING)]


def _latest(store: Store, key: str) -> Snapshot:
    with store.read() as session:
        find_experiment(session=session, key=key)
        snapshot = readouts.latest(session=session, key=key)
        if snapshot is None:
            why = readouts.not_analysed(session=session, key=key)
            raise NotFound(f"{why}; run: evenhand analyze {key}")
    return snapshot


def _told(verdict: Mapping[str, Any]) -> str:
    about = f" {verdict['variant']}" if verdict["variant"] else ""
    return f"{verdict['recommendation']}{about} ({', '.join(verdict['reasons'])})"


def _summary(document: Mapping[str, Any]) -> str:
    lines = [f"{document['experiment']}: {_told(document['verdict'])}"]
    if gone := document.get("interrupted"):
        lines.append(f"not refreshed since {gone['since']}: {gone['reason']}")
    lines.append("units: " + ", ".join(f"{name} {count:,}" for name, count in document["units"].items()))
    for row in document["comparisons"]:
        lift = row["lift"] or {"estimate": None, "low": None, "high": None}
        lines.append(
            f"  {row['metric']:<20} {row['variant']:<16} {_percent(lift['estimate']):>9} "
            f"[{_percent(lift['low'])}, {_percent(lift['high'])}]  {row['reading']}"
        )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "…" if share is None else f"{share:+.1%}"


@click.command("overlaps")
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@json_option
def overlaps_command(keys: tuple[str, ...], *, as_json: bool) -> None:
    """Say which running experiments share units, and whether they get in each other's way."""
    from experiments import overlaps  # late: the engine takes longer to load than most commands take

    settings = settings_of()
    with ready_store(settings) as store, progress_bar("overlaps") as progress:
        found = overlaps.find_overlaps(
            store=store, engine=engine_of(settings, store), now=clock(), keys=keys, progress=progress
        )
    text = "\n".join(map(_shared, found)) or "no two of these experiments share units"
    say({"overlaps": [each.to_json() for each in found]}, as_json=as_json, text=text)


def _shared(overlap: Any) -> str:
    document = overlap.to_json()
    passed = document["assignment"]["passed"]
    split = {
        True: "assigned independently",
        False: "ASSIGNMENTS DEPEND ON EACH OTHER",
        None: "too few to tell",
    }
    clashes = [
        f"{each['experiment']}: {each['metric']} of {each['treatment']} depends on {each['other']}"
        for each in document["interactions"]
        if each["p_value_adjusted"] < INTERACTING
    ]
    line = f"{overlap.first} and {overlap.second}: {overlap.units} units, {split[passed]}"
    return "; ".join([line, *clashes])
