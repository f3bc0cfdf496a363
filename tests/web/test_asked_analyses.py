"""A readout that somebody asked for is made at the worker's next look, whatever else has changed."""

from datetime import timedelta

from experiments import launch, readouts
from experiments.lifecycle import Status
from tests.samples import NOW
from tests.web.api.management.conftest import maker
from web.app import create_app
from web.deployment import Deployment
from web.worker import Worker


def test_a_stopped_experiment_is_read_once_more_when_asked(deployment: Deployment) -> None:
    later = NOW + timedelta(hours=1)
    worker = Worker(deployment.settings, deployment.store, now=lambda: later)
    with deployment.store.write() as session:
        launch.stop(session=session, key="checkout", actor="t", now=NOW)
    worker.look()
    with deployment.store.read() as session:
        assert readouts.latest(session=session, key="checkout") is None
    with deployment.store.write() as session:
        asked = readouts.ask(session=session, key="checkout", now=NOW + timedelta(minutes=1))
    assert (asked.status, asked.analysis_asked_at) == (Status.STOPPED, NOW + timedelta(minutes=1))
    worker.look()
    program = maker(deployment, create_app(deployment).test_client())()
    shown = program.get("/experiments/checkout/readouts").get_json()["readouts"]
    assert len(shown) == 1
    number = shown[0]["id"]
    assert program.get(f"/experiments/checkout/readouts/{number}").get_json()["experiment"] == "checkout"
    assert program.get(f"/experiments/checkout/readouts/{number}/verification").get_json()["same"] is True
    assert program.get(f"/experiments/banner/readouts/{number}").status_code == 404
    worker.look()
    assert program.get("/experiments/checkout/readouts?limit=1").get_json()["next"] is None
