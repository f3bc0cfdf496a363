"""Side by side with others: ``python tests/benchmarks/peers.py``.

Installs gbstats, tea-tasting and spotify-confidence from the package index, each into an environment of its
own in a temporary folder (their demands on numpy exclude each other), hands all of them the same moments, and
prints the time of one comparison and where the numbers part, with the reason.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from analysis import Comparison, Moments, NotEstimable, compare, estimate
from analysis.batch import Arms, compare_many

PEERS = ("gbstats", "tea-tasting", "spotify-confidence")
PAIRS = 2_000
SAME = 1e-6

Arm = dict[str, float]
Answer = dict[str, Any]


def arm(n: int, mean: float, var: float) -> Arm:
    return {"n": n, "mean": mean, "var": var}


def share(successes: int, n: int) -> Arm:
    p = successes / n
    return arm(n, p, p * (1 - p) * n / (n - 1))


CASES: list[dict[str, Any]] = [
    {
        "name": "ordinary",
        "kind": "mean",
        "new": arm(10_000, 10.15, 25.0),
        "old": arm(10_000, 10.0, 25.0),
        "why": "The difference is Welch's t everywhere. The lift is Fieller's set for us; gbstats and "
        "tea-tasting take the delta method (in levels and of the logarithm); spotify-confidence divides the "
        "difference's interval by the control's mean, as if that mean were known.",
    },
    {
        "name": "small arms",
        "kind": "mean",
        "new": arm(12, 13.0, 30.0),
        "old": arm(30, 10.0, 4.0),
        "why": "Student's t with Welch's degrees of freedom everywhere; a z test would say p = 0.064. "
        "For the lift tea-tasting takes degrees of freedom of its own on the scale of logarithms.",
    },
    {
        "name": "conversion",
        "kind": "proportion",
        "new": share(115, 2_000),
        "old": share(90, 2_000),
        "why": "gbstats and spotify-confidence take p(1 − p) for the variance, we and tea-tasting the "
        "sample's with divisor n − 1: the p-values part in the fourth digit and agree with more units.",
    },
    {
        "name": "one test, two answers",
        "kind": "mean",
        "new": arm(400, 11.0, 64.0),
        "old": arm(400, 10.0, 36.0),
        "why": "The difference is significant, p = 0.046. By the delta method the lift of the same data is "
        "not: gbstats (its default scale) gives p = 0.054 and an interval over zero. Fieller's set excludes "
        "zero exactly when the difference does.",
    },
    {
        "name": "uncertain baseline",
        "kind": "mean",
        "new": arm(200, 1.6, 36.0),
        "old": arm(200, 0.5, 36.0),
        "why": "The control's mean is 1.2 standard errors from zero, so no bound on the lift is honest: ours "
        "is unlimited on both sides and says so; the others give an interval.",
    },
    {
        "name": "negative baseline",
        "kind": "mean",
        "new": arm(5_000, -9.5, 25.0),
        "old": arm(5_000, -10.0, 25.0),
        "why": "The treatment has more. Our lift is relative to |control| and positive like the difference; "
        "dividing by −10 turns the sign, and the better variant looks worse.",
    },
    {
        "name": "far tail",
        "kind": "mean",
        "new": arm(100_000, 10.5, 25.0),
        "old": arm(100_000, 10.0, 25.0),
        "why": "2·(1 − cdf) is zero beyond eight standard errors (gbstats); asked from the other side the "
        "tail keeps its digits.",
    },
    {
        "name": "large offset",
        "kind": "mean",
        "new": arm(10_000, 1e8 + 0.05, 1.0),
        "old": arm(10_000, 1e8, 1.0),
        "why": "Raw sums of squares lose the variance when the mean is large; gbstats and spotify-confidence "
        "take sums, centred moments keep it.",
    },
    {
        "name": "no variation",
        "kind": "mean",
        "new": arm(100, 2.0, 0.0),
        "old": arm(100, 1.0, 0.0),
        "why": "Nothing can be tested: a typed reason for us, p = 1 with an interval of zeros or NaN for "
        "others.",
    },
    {
        "name": "control at zero",
        "kind": "mean",
        "new": arm(500, 0.4, 1.0),
        "old": arm(500, 0.0, 1.0),
        "why": "The difference has an answer, the lift has none. gbstats answers neither on either scale "
        "(p = 1, zeros).",
    },
]


def ours(case: dict[str, Any]) -> Answer:
    made = estimate.proportion if case["kind"] == "proportion" else estimate.mean
    new, old = (Moments.from_summary(**case[name]) for name in ("new", "old"))
    answer = compare(made(new), made(old))
    if isinstance(answer, NotEstimable):
        return {"error": f"not estimable: {answer.cause}"}
    found = flat("difference", answer.difference) | {"difference_p": answer.p_value}
    return found if answer.lift is None else found | flat("lift", answer.lift) | {"lift_p": answer.p_value}


def flat(name: str, interval: Any) -> Answer:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def own_speed(pairs: list[tuple[Arm, Arm]]) -> dict[str, float]:
    moments = [(Moments.from_summary(**new), Moments.from_summary(**old)) for new, old in pairs]  # type: ignore[arg-type]  # n is a whole number
    many = 100_000
    rng = np.random.default_rng(1)
    new, old = (Arms.of(10_000, rng.normal(10, 0.1, many), rng.gamma(9, 1, many)) for _ in range(2))

    def one_by_one() -> None:
        for one, other in moments:
            if not isinstance(compare(estimate.mean(one), estimate.mean(other)), Comparison):
                raise SystemExit("a pair has no answer")

    return {
        "evenhand, compare": best(one_by_one) / len(pairs),
        "evenhand, compare_many": best(lambda: compare_many(new, old)) / many,
    }


def best(task: Callable[[], object]) -> float:
    found = []
    for _ in range(3):
        start = time.perf_counter()
        task()
        found.append(time.perf_counter() - start)
    return min(found)


def theirs(peer: str, folder: Path, asked: dict[str, Any]) -> Answer:
    """Install a peer and ask it; where that fails, the reason."""
    home = folder / peer
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer]
    installed = subprocess.run(pip, capture_output=True, text=True)
    if installed.returncode:
        return {"failed": f"does not install here: {last_line(installed.stderr)}"}
    script = str(Path(__file__).with_name("peer.py"))
    run = subprocess.run([python, script, peer], input=json.dumps(asked), capture_output=True, text=True)
    if run.returncode:
        return {"failed": f"does not run here: {last_line(run.stderr)}"}
    answer: Answer = json.loads(run.stdout)
    return answer


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def number(value: Any) -> float:
    return math.nan if value is None else float(value)


def cell(answer: Answer, name: str, reference: Answer) -> str:
    """An estimate with its interval and p-value; ``*`` where it is not ours."""
    fields = [f"{name}_p", name, f"{name}_low", f"{name}_high"]
    if name not in answer:
        return "none" if "error" not in answer else answer["error"][:48]
    p, *values = (number(answer.get(field)) for field in fields)
    told = "{:.5g} [{:.5g}, {:.5g}]".format(*values)
    told += "" if math.isnan(p) else f" p {p:.4g}"
    other = all(
        same(number(answer[field]), number(reference.get(field))) for field in fields if field in answer
    )
    return told + ("" if other else " *")


def same(one: float, other: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=SAME)


def wrapped(text: str, width: int = 100) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += f"{word} "
    return "\n".join(f"  {line.strip()}" for line in lines)


def print_speed(speeds: dict[str, float]) -> None:
    fastest_single = speeds["evenhand, compare"]
    print(
        f"\n{'one comparison from moments':44s} {'microseconds':>13s} {'per second':>12s} {'times ours':>11s}"
    )
    for name, seconds in speeds.items():
        print(f"{name:44s} {1e6 * seconds:13.2f} {1 / seconds:12,.0f} {seconds / fastest_single:11.2f}")


def print_cases(answers: dict[str, Answer]) -> None:
    print("\nwhere the numbers part (95 %; * = not ours to six digits)")
    for case in CASES:
        reference = ours(case)
        new, old = case["new"], case["old"]
        print(
            f"\n{case['name']}: control n {old['n']:,} mean {old['mean']:.10g} var {old['var']:.4g}, "
            f"treatment n {new['n']:,} mean {new['mean']:.10g} var {new['var']:.4g}"
        )
        rows = {"evenhand": reference} | {peer: found[case["name"]] for peer, found in answers.items()}
        for name, found in rows.items():
            print(
                f"  {name:19s} {cell(found, 'difference', reference):50s} | {cell(found, 'lift', reference)}"
            )
        print(wrapped(case["why"]))


def main() -> None:
    rng = np.random.default_rng(1)
    pairs = [
        tuple(arm(10_000, float(rng.normal(10, 0.1)), float(rng.gamma(9, 1))) for _ in range(2))
        for _ in range(PAIRS)
    ]
    asked = {"cases": CASES, "pairs": pairs}
    speeds = own_speed(pairs)  # type: ignore[arg-type]  # of two each
    answers = {}
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for peer in PEERS:
            found = theirs(peer, Path(folder), asked)
            if "failed" in found:
                print(f"{peer}: {found['failed']}")
                continue
            print(f"{peer} {found['version']}")
            speeds[f"{peer} {found['version']}"] = found["seconds"]
            answers[peer] = found["answers"]
    print_speed(speeds)
    print_cases(answers)


if __name__ == "__main__":
    main()
