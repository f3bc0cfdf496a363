"""Commands for planning: how large and how long, and what a plan would do."""

import json
import math
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from analysis import NotEstimable, power, simulate
from analysis.errors import InvalidInput as WrongInput
from analysis.inference import AlwaysValid, FixedHorizon, Inference, Sequential
from experiments.errors import InvalidInput
from experiments.observe.history import History
from experiments.planning import Level, expected_z, history_of, level_of
from web.cli.root import json_option, progress_bar, ready_store, say, settings_of
from web.deployment import clock
from web.engine import engine_of

_metric = click.option("--metric", "key", help="Take the baseline from this metric's history.")
_days = click.option("--days", default=28, show_default=True, help="How far to look back, in days.")
_unit = click.option("--unit", type=click.Choice(["user_id", "anonymous_id"]), default="user_id")
_inference = click.option(
    "--inference",
    type=click.Choice(["fixed", "sequential", "group_sequential", "always_valid"]),
    default="sequential",
    show_default=True,
)


_POWER_JSON = """\
\b
With --json, one object:
  baseline, sd, lift    what was asked, per unit
  inference             how results will be read
  units, by_variant     needed in all, and of each variant in the order of --weights
  fixed_units           that one look at the end would need
and, where the units a day are known (from --daily or --metric):
  daily, days, weeks    new units a day, days until all have come, whole weeks to run
  table                 rows of week, units, lift, difference: what is detectable by then
"""

_SIMULATE_JSON = """\
\b
With --json, one object:
  metric, units, replays     what was split, and how often
  false_positives, coverage  shares; 0.05 and 0.95 were promised
  split_alarms               share of fair splits called wrong; 0.001 was promised
  detectable_lift            that so many units find; null where the mean is 0
  plan                       inference, size, lift, found, wrong_way, mean_stop, median_stop
  p_values                   counts in 20 equal bins from 0 to 1
"""


@click.command("power", epilog=_POWER_JSON)
@_metric
@_days
@_unit
@click.option("--baseline", type=float, help="The metric's mean today, or its share for a proportion.")
@click.option("--sd", type=float, help="Its standard deviation per unit; left out, a proportion is meant.")
@click.option("--daily", type=float, help="New units a day.")
@click.option("--lift", type=float, default=0.05, show_default=True, help="Relative change to detect.")
@click.option("--weights", default="1,1", show_default=True, help="Shares, the control first.")
@click.option("--confidence", type=float, default=0.95, show_default=True)
@click.option("--power", "wanted", type=float, default=0.8, show_default=True)
@_inference
@click.option("--guardrails", type=int, default=0, help="Guardrails that must all hold.")
@click.option("--correlation", type=float, default=0.0, help="Of the metric with itself before exposure.")
@click.option("--weeks", type=click.IntRange(1, 52), default=8, show_default=True, help="Rows of the table.")
@json_option
def power_command(
    key: str | None,
    days: int,
    unit: str,
    baseline: float | None,
    sd: float | None,
    daily: float | None,
    lift: float,
    weights: str,
    confidence: float,
    wanted: float,
    inference: str,
    guardrails: int,
    correlation: float,
    weeks: int,
    *,
    as_json: bool,
) -> None:
    """Say how many units and whole weeks an experiment needs, and what it can detect after each week."""
    level = _level(key, days, unit) if key else None
    try:
        design = power.Design(
            weights=_weights(weights),
            confidence=confidence,
            power=wanted,
            inference=inference,
            guardrails=guardrails,
            correlation=correlation,
        )
        document = _sized(_baseline(level, baseline, sd), design, lift, _daily(level, daily), weeks)
    except WrongInput as refusal:
        raise InvalidInput.at("", str(refusal)) from refusal
    say(document, as_json=as_json, text=_power_text(document))


@click.command("simulate", epilog=_SIMULATE_JSON)
@click.argument("key")
@_days
@_unit
@click.option("--replays", type=click.IntRange(10, 100_000), default=1_000, show_default=True)
@click.option("--lift", type=float, default=0.05, show_default=True, help="True change to try the plan at.")
@click.option(
    "--size", type=click.IntRange(100, 10**12), help="Planned units; left out, as many as in the history."
)
@_inference
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write the figures to this file: one page that opens without a network.",
)
@click.option(
    "--lang",
    "--language",
    "language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Of the page.",
)
@json_option
def simulate_command(
    key: str,
    days: int,
    unit: str,
    replays: int,
    lift: float,
    size: int | None,
    inference: str,
    seed: int,
    page: Path | None,
    language: str,
    *,
    as_json: bool,
) -> None:
    """Split the real units of metric KEY at random many times (A/A), and try a plan at a true change.

    The replay says how often nothing at all would have been called an effect; the plan says how often a
    true change would be found, and when.
    """
    if not math.isfinite(lift):
        raise InvalidInput.at("--lift", "expected a finite number")
    history = _history(key, days, unit)
    rng = np.random.default_rng(seed)
    outcome = _replayed(key, history, replays, rng)
    planned = size or len(history.values)
    plan = _tried(history, inference, planned, lift, rng)
    document = _simulated(key, outcome) | {"plan": _plan_document(plan, inference, planned, lift)}
    document |= {"p_values": list(simulate.p_value_bins(outcome).counts)}
    text = _simulation_text(document)
    if page is not None:
        from web.cli.replay_page import Tried, page_of

        tried = Tried(plan, inference, planned, lift)
        _write_page(page, page_of(metric=key, outcome=outcome, tried=tried, language=language))
    say(document, as_json=as_json, text=text)


def _replayed(key: str, history: History, replays: int, rng: np.random.Generator) -> simulate.Replay:
    with progress_bar("A/A replays") as progress:
        outcome = simulate.replay(
            history.values, rng=rng, replays=replays, progress=lambda done, of: progress(done / of)
        )
    if isinstance(outcome, NotEstimable):
        raise InvalidInput.at(key, outcome.detail)
    return outcome


def _tried(
    history: History, inference: str, size: int, lift: float, rng: np.random.Generator
) -> simulate.PlanOutcome:
    drift = expected_z(history, lift=lift, size=size)
    with progress_bar("The plan") as progress:
        return simulate.try_plan(
            _inference_of(inference, size),
            size=size,
            drift=drift,
            rng=rng,
            progress=lambda done, of: progress(done / of),
        )


def _simulated(key: str, outcome: simulate.Replay) -> dict[str, object]:
    return {
        "metric": key,
        "units": outcome.units,
        "replays": outcome.replays,
        "false_positives": outcome.false_positives.value,
        "coverage": outcome.coverage.value,
        "split_alarms": outcome.split_alarms.value,
        "detectable_lift": outcome.detectable_lift,
    }


def _plan_document(plan: simulate.PlanOutcome, inference: str, size: int, lift: float) -> dict[str, object]:
    return {
        "inference": inference,
        "size": size,
        "lift": lift,
        "found": plan.claims.value,
        "wrong_way": plan.wrong_way.value,
        "mean_stop": plan.mean_stop,
        "median_stop": plan.median_stop,
    }


def _write_page(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise InvalidInput.at("--html", f"cannot write {path}: {problem.strerror}") from problem


def _history(key: str, days: int, unit: str) -> History:
    settings = settings_of()
    with ready_store(settings) as store:
        engine = engine_of(settings, store)
        return history_of(store=store, engine=engine, key=key, now=clock(), days=days, unit_type=unit)


def _level(key: str, days: int, unit: str) -> Level:
    settings = settings_of()
    with ready_store(settings) as store:
        engine = engine_of(settings, store)
        return level_of(store=store, engine=engine, key=key, now=clock(), days=days, unit_type=unit)


def _baseline(level: Level | None, mean: float | None, sd: float | None) -> power.Baseline:
    if level is not None and mean is None:
        return level.baseline
    if mean is None:
        raise InvalidInput.at("--baseline", "give a baseline, or a --metric to take it from")
    if sd is None:
        return power.Baseline.of_proportion(mean)
    if not sd > 0:
        raise InvalidInput.at("--sd", "expected a standard deviation above 0")
    return power.Baseline(mean, sd * sd)


def _daily(level: Level | None, daily: float | None) -> float | None:
    return level.daily_units if daily is None and level is not None else daily


def _weights(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as problem:
        raise InvalidInput.at("--weights", "expected numbers such as 1,1") from problem


def _sized(
    baseline: power.Baseline, design: power.Design, lift: float, daily: float | None, weeks: int
) -> dict[str, object]:
    units = power.sample_size(baseline, lift, design)
    fixed = power.sample_size(baseline, lift, replace(design, inference="fixed"))
    document: dict[str, object] = {
        "baseline": baseline.mean,
        "sd": baseline.variance**0.5,
        "lift": lift,
        "inference": design.inference,
        "units": units.total,
        "by_variant": list(units.by_variant),
        "fixed_units": fixed.total,
    }
    if daily is not None:
        if daily * power.DAYS_A_WEEK < 2:
            raise InvalidInput.at("--daily", "expected at least two new units a week")
        duration = power.days_needed(units.total, daily)
        table = power.lift_by_week(baseline, [round(daily * power.DAYS_A_WEEK)] * weeks, design)
        document |= {
            "daily": daily,
            "days": duration.days,
            "weeks": duration.weeks,
            "table": [
                {"week": row.week, "units": row.units, "lift": row.lift, "difference": row.difference}
                for row in table
            ],
        }
    return document


def _power_text(document: dict[str, object]) -> str:
    shown = json.loads(json.dumps(document))
    lines = [f"units needed: {shown['units']:,} ({', '.join(f'{n:,}' for n in shown['by_variant'])})"]
    if "weeks" in shown:
        lines.append(
            f"at {shown['daily']:,.0f} new units a day: {shown['days']} days, {shown['weeks']} whole weeks"
        )
        lines.append("weeks      units   detectable lift")
        lines += [f"{row['week']:>5} {row['units']:>10,} {row['lift']:>16.2%}" for row in shown["table"]]
    return "\n".join(lines)


def _inference_of(name: str, size: int) -> Inference:
    match name:
        case "sequential":
            return Sequential(size)
        case "always_valid":
            return AlwaysValid(max(1, size // 2))
        case "group_sequential":
            from analysis import GroupSequential

            return GroupSequential(size)
        case _:
            return FixedHorizon()


_BARS = " ▁▂▃▄▅▆▇█"


def _simulation_text(document: dict[str, object]) -> str:
    shown = json.loads(json.dumps(document))
    most = max(shown["p_values"]) or 1
    picture = "".join(_BARS[round(8 * count / most)] for count in shown["p_values"])
    plan = shown["plan"]
    detectable = shown["detectable_lift"]
    return "\n".join(
        [
            f"{shown['replays']:,} random splits of {shown['units']:,} real units, nothing changed:",
            f"  called an effect       {shown['false_positives']:.1%} (should be near 5.0%)",
            f"  interval held zero     {shown['coverage']:.1%} (should be near 95.0%)",
            f"  split called wrong     {shown['split_alarms']:.2%} (should be near 0.10%)",
            f"  detectable lift        {'unknown' if detectable is None else f'{detectable:.1%}'}",
            f"  p-values 0 to 1        {picture} (should be level)",
            f"a true lift of {plan['lift']:.1%}, {plan['inference']}, up to {plan['size']:,} units:",
            f"  found                  {plan['found']:.1%}, the wrong way {plan['wrong_way']:.2%}",
            f"  ends on average at     {plan['mean_stop']:.0%} of the planned size",
        ]
    )
