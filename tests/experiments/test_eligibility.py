"""Layers, holdouts and segments: what a started experiment stands on stays as it is."""

from typing import Any

import pytest
from sqlmodel import Session

from assignment import Detail, decide
from experiments import eligibility, launch
from experiments.definition import Definitions, HoldoutDraft, LayerDraft, SegmentDraft
from experiments.errors import Conflict, InvalidInput, NotAllowed
from experiments.publishing import latest_ruleset
from experiments.store import Store
from tests.samples import DAY, NOW, draft, experiment, metric

ADULTS = {"attribute": "age", "operator": "ge", "value": 18}
SENIORS = {"attribute": "age", "operator": "ge", "value": 65}


def apply(session: Session, *experiments: dict[str, Any], **others: Any) -> list[str]:
    document = {"metrics": [metric()], "experiments": list(experiments), **others}
    definitions = Definitions.model_validate(document)
    changes = launch.apply(session=session, definitions=definitions, actor="ada", now=NOW)
    return [f"{each.action} {each.kind} {each.key}" for each in changes]


def save_holdout(session: Session, key: str, share: int) -> None:
    held = HoldoutDraft(key=key, share=share)
    eligibility.save_holdout(session=session, draft=held, actor="ada", now=NOW)


def save_segment(session: Session, key: str, condition: dict[str, Any], **texts: str) -> None:
    segment = SegmentDraft(key=key, condition=condition, **texts)
    eligibility.save_segment(session=session, draft=segment, actor="ada", now=NOW)


def test_a_file_defines_everything_at_once_and_again_changes_nothing(store: Store) -> None:
    others = {
        "layers": [{"key": "pricing"}],
        "holdouts": [{"key": "year", "share": 500}],
        "segments": [{"key": "adults", "condition": ADULTS}],
    }
    running = experiment(layer="pricing", slots=[[0, 5_000]], targeting={"segment": "adults"})
    with store.write() as session:
        first = apply(session, running, **others)
        assert first[:3] == ["created layer pricing", "created holdout year", "created segment adults"]
        again = apply(session, running, **others)
        assert {each.partition(" ")[0] for each in again} == {"unchanged"}


def test_salts_of_layers_and_holdouts_are_made_once(store: Store) -> None:
    with store.write() as session:
        apply(session, layers=[{"key": "a"}, {"key": "b"}], holdouts=[{"key": "year", "share": 500}])
        before = eligibility.list_layers(session=session) + eligibility.list_holdouts(session=session)
        apply(session, layers=[{"key": "a", "name": "A"}], holdouts=[{"key": "year", "share": 600}])
        after = eligibility.list_layers(session=session) + eligibility.list_holdouts(session=session)
    assert [each.salt for each in after] == [each.salt for each in before]
    assert len({each.salt for each in after}) == 3
    assert [getattr(each.definition, "share", None) for each in after] == [None, None, 600]
    assert isinstance(after[0].definition, LayerDraft)
    assert after[0].definition.name == "A"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"layer": "none", "slots": [[0, 10]]}, "no layer 'none'"),
        ({"holdouts": ["none"]}, "no holdout 'none'"),
        ({"targeting": {"segment": "none"}}, "segment 'none' is missing"),
        ({"targeting": {"not": {"all": [{"segment": "none"}]}}}, "segment 'none' is missing"),
    ],
)
def test_an_experiment_cannot_start_on_what_does_not_exist(
    store: Store, changes: dict[str, Any], named: str
) -> None:
    with store.write() as session:
        apply(session, experiment(status="draft", **changes))
        with pytest.raises(InvalidInput, match=named):
            launch.start(session=session, key="checkout", actor="ada", now=NOW)


def test_slots_of_running_experiments_never_overlap(store: Store) -> None:
    with store.write() as session:
        layers = [{"key": "pricing"}, {"key": "other"}]
        apply(session, experiment(layer="pricing", slots=[[0, 4_000], [6_000, 7_000]]), layers=layers)
        apply(session, experiment("beside", layer="pricing", slots=[[4_000, 6_000]]))
        apply(session, experiment("elsewhere", layer="other", slots=[[0, 10_000]]))
        apply(session, experiment("later", layer="pricing", slots=[[6_999, 8_000]], status="draft"))
        with pytest.raises(Conflict, match="checkout holds the buckets from 6999 to 7000"):
            launch.start(session=session, key="later", actor="ada", now=NOW)
        launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        launch.start(session=session, key="later", actor="ada", now=NOW)
        with pytest.raises(Conflict, match="later holds"):
            launch.start(session=session, key="checkout", actor="ada", now=NOW)
        wider = draft("later", layer="pricing", slots=[[5_999, 8_000]])
        with pytest.raises(Conflict, match="beside holds"):
            launch.edit(session=session, draft=wider, actor="ada", now=NOW, new_phase=True)
        rules = latest_ruleset(session=session)
    running = [key for key in rules.rules if decide(rules, key, unit="u").detail is not Detail.NOT_RUNNING]
    assert running == ["beside", "elsewhere", "later"]


def test_an_experiment_honours_the_holdouts_that_were_there_when_its_phase_began(store: Store) -> None:
    with store.write() as session:
        apply(session, experiment(), holdouts=[{"key": "year", "share": 1_000}])
        apply(session, experiment("search"), holdouts=[{"key": "quarter", "share": 1_000}])
        apply(session, experiment("footer", holdouts=[]))
        honoured = {key: rule.holdouts for key, rule in latest_ruleset(session=session).rules.items()}
        assert honoured == {"checkout": ("year",), "search": ("quarter", "year"), "footer": ()}
        again = draft(traffic=1)
        launch.edit(session=session, draft=again, actor="ada", now=NOW + DAY, new_phase=True)
        assert latest_ruleset(session=session).rules["checkout"].holdouts == ("quarter", "year")


@pytest.mark.parametrize("stopped", [False, True])
def test_a_holdouts_share_is_fixed_while_a_started_experiment_honours_it(store: Store, stopped: bool) -> None:
    with store.write() as session:
        apply(session, experiment(), holdouts=[{"key": "year", "share": 1_000}])
        apply(session, holdouts=[{"key": "unused", "share": 1_000}])
        if stopped:  # it may go on under the same salt
            launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        with pytest.raises(NotAllowed, match="checkout honours it"):
            save_holdout(session, "year", 2_000)
        save_holdout(session, "unused", 2_000)
        launch.apply(
            session=session,
            definitions=Definitions.model_validate(
                {"holdouts": [{"key": "year", "name": "Y", "share": 1_000}]}
            ),
            actor="ada",
            now=NOW,
        )
        if stopped:
            launch.conclude(session=session, key="checkout", actor="ada", now=NOW)
            save_holdout(session, "year", 2_000)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_segments_condition_is_fixed_while_a_started_experiment_stands_on_it(
    store: Store, stopped: bool
) -> None:
    targeting = {"all": [{"attribute": "country", "operator": "exists"}, {"segment": "nordic-adults"}]}
    with store.write() as session:
        save_segment(session, "adults", ADULTS)
        save_segment(session, "nordic-adults", {"all": [{"segment": "adults"}]})
        save_segment(session, "unused", ADULTS)
        apply(session, experiment(targeting=targeting), experiment("plain"))
        if stopped:
            launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        for key in ("adults", "nordic-adults"):
            with pytest.raises(NotAllowed, match="checkout stands on it"):
                save_segment(session, key, SENIORS)
        save_segment(session, "adults", ADULTS, name="Grown up")
        save_segment(session, "unused", SENIORS)
        if stopped:
            launch.conclude(session=session, key="checkout", actor="ada", now=NOW)
            save_segment(session, "adults", SENIORS)


def test_segments_never_refer_in_a_circle_or_to_nothing(store: Store) -> None:
    with store.write() as session:
        with pytest.raises(InvalidInput, match="'none' is missing"):
            save_segment(session, "a", {"segment": "none"})
        save_segment(session, "a", ADULTS)
        save_segment(session, "b", {"segment": "a"})
        with pytest.raises(InvalidInput, match="refers back"):
            save_segment(session, "a", {"segment": "b"})


def test_a_running_experiment_cannot_be_moved_onto_what_does_not_exist(store: Store) -> None:
    with store.write() as session:
        apply(session, experiment())
        wanted = draft(layer="none", slots=[[0, 10]])
        with pytest.raises(InvalidInput, match="no layer 'none'"):
            launch.edit(session=session, draft=wanted, actor="ada", now=NOW, new_phase=True)
