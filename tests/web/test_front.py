"""The front without a server: requests as granian hands them over, and what is handed back."""

import asyncio
import gzip
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from flask import Flask, Response, request

from experiments import writing
from experiments.errors import Unavailable
from experiments.store.ledger import append_batches, position
from web import front
from web.api.bodies import MAX_BODY
from web.api.doors import Doors
from web.api.errors import RETRY_AFTER
from web.api.events import EventsDoor
from web.app import create_app
from web.bridge import Bridge
from web.deployment import Deployment
from web.front import LONG_BODY, Front

Serve = Callable[..., list["Told"]]

EVALUATION = "/ofrep/v1/evaluate/flags/checkout"


class Sent:
    """The headers of a request, by their names in lower case; one may come twice."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        self.lines = lines

    def get(self, name: str) -> str | None:
        return next((value for known, value in self.lines if known == name), None)

    def items(self) -> list[tuple[str, str]]:
        return list(self.lines)


@dataclass
class Asked:
    """A request's scope."""

    path: str
    method: str = "GET"
    headers: Sent = field(default_factory=Sent)
    query_string: str = ""
    scheme: str = "http"
    server: str = "127.0.0.1:8000"
    client: str = "127.0.0.1:40000"
    http_version: str = "1.1"


class Undecodable(Asked):
    """A request whose path is not UTF-8."""

    @property
    def path(self) -> str:
        return b"/\xff".decode()

    @path.setter
    def path(self, _: str) -> None:
        pass


class Told:
    """A request's protocol: gives the body, takes the answer."""

    def __init__(self, body: bytes = b"", *, piece: int = 65_536) -> None:
        self.body, self.piece = body, piece
        self.read = 0
        self.status = 0
        self.headers: dict[str, str] = {}
        self.answer = b""
        self.parts: list[bytes] = []

    async def __call__(self) -> bytes:
        self.read = len(self.body)
        return self.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.read < len(self.body):
            part = self.body[self.read : self.read + self.piece]
            self.read += len(part)
            yield part

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        assert len({name.lower() for name, _ in headers}) == len(headers)
        self.status, self.headers, self.answer = status, dict(headers), body

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.response_bytes(status, headers, b"")

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "Told":
        self.response_bytes(status, headers, b"")
        return self

    async def send_bytes(self, part: bytes) -> None:
        self.parts.append(part)
        self.answer += part

    @property
    def document(self) -> Any:
        return json.loads(self.answer)


@pytest.fixture
def serve(deployment: Deployment) -> Serve:
    """Serve requests at the same time, in a loop of their own."""

    def served(*requests: tuple[Asked, Told]) -> list[Told]:
        async def all_of_them() -> None:
            front = Front(cast("Doors", create_app(deployment).wsgi_app))
            front.__rsgi_init__(asyncio.get_running_loop())
            calls = (front.__rsgi__(cast("Any", asked), cast("Any", told)) for asked, told in requests)
            await asyncio.gather(*calls)

        run(all_of_them())
        return [told for _, told in requests]

    return served


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread of its own: a browser's tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def posted(key: str, path: str, document: Any, *, pack: bool = False) -> tuple[Asked, Told]:
    body = json.dumps(document).encode()
    packed = gzip.compress(body) if pack else body
    headers = Sent(("authorization", f"Bearer {key}"), ("content-length", str(len(packed))))
    return Asked(path, "POST", headers), Told(packed)


def tracked(key: str, number: int, **more: Any) -> tuple[Asked, Told]:
    document = {"messageId": f"f{number}", "userId": f"u{number}", "event": "purchase", **more}
    return posted(key, "/v1/track", document)


def test_evaluations_events_and_pages_are_all_served(
    serve: Serve, server_key: str, deployment: Deployment
) -> None:
    context = {"context": {"targetingKey": "u1"}}
    decided, stored, page, nothing = serve(
        posted(server_key, EVALUATION, context),
        tracked(server_key, 1),
        (Asked("/livez"), Told()),
        (Asked("/no/such/page"), Told()),
    )
    assert (decided.status, decided.document["key"]) == (200, "checkout")
    assert (stored.status, stored.document["accepted"]) == (200, 1)
    assert (page.status, nothing.status) == (200, 404)
    with deployment.store.read() as session:
        assert position(session=session)[1] == 1


def test_many_single_events_wait_together_and_share_commits(
    serve: Serve, server_key: str, deployment: Deployment
) -> None:
    answers = serve(*(tracked(server_key, number) for number in range(300)))
    assert [(each.status, each.document["accepted"]) for each in answers] == [(200, 1)] * 300
    assert deployment.writer.begun < 100


def test_each_waiting_request_is_told_of_its_own_events(serve: Serve, server_key: str) -> None:
    answers = serve(
        tracked(server_key, 1),
        tracked(server_key, 1),
        tracked(server_key, 2),
        posted(server_key, "/v1/track", {"event": ""}),
    )
    counted = [(each.document["accepted"], each.document["duplicates"]) for each in answers]
    assert sorted(counted[:2]) == [(0, 1), (1, 0)]
    assert counted[2:] == [(1, 0), (0, 0)]
    assert [each["code"] for each in answers[3].document["rejected"]] == ["missing_user"]


def test_long_batches_are_taken_apart_beside_the_loop(
    serve: Serve, server_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_in: list[str] = []
    parse = EventsDoor.begin

    def noted(*given: Any) -> Any:
        taken_in.append(threading.current_thread().name)
        return parse(*given)

    monkeypatch.setattr(EventsDoor, "begin", noted)
    many = [
        {"type": "track", "userId": "u", "event": "seen", "properties": {"note": "x" * 90}}
        for _ in range(500)
    ]
    long, short = serve(
        posted(server_key, "/v1/batch", {"batch": many}), posted(server_key, "/v1/batch", {"batch": many[:2]})
    )
    assert len(json.dumps(many)) > LONG_BODY
    assert (long.document["accepted"], short.document["accepted"]) == (500, 2)
    assert sorted(name.startswith("aside") for name in taken_in) == [False, True]


@pytest.mark.parametrize("path", ["/v1/batch", EVALUATION])
def test_a_browser_that_asks_beforehand_is_told_each_thing_once(serve: Serve, path: str) -> None:
    (answer,) = serve((Asked(path, "OPTIONS"), Told()))
    assert (answer.status, answer.answer) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_a_packed_body_is_unpacked(serve: Serve, server_key: str) -> None:
    (answer,) = serve(
        posted(server_key, "/v1/batch", {"batch": [{"type": "page", "userId": "u"}]}, pack=True)
    )
    assert answer.document["accepted"] == 1


def test_nobody_waits_for_ever(
    serve: Serve, server_key: str, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "PATIENCE", 0.05)
    monkeypatch.setattr(front, "SWEEP", 0.02)
    freed = threading.Event()
    append = append_batches

    def stuck(**given: Any) -> Any:
        freed.wait(10)
        return append(**given)

    monkeypatch.setattr(writing, "append_batches", stuck)
    (answer,) = serve(tracked(server_key, 1))
    freed.set()
    assert (answer.status, answer.headers["Retry-After"]) == (503, RETRY_AFTER)
    assert "send it again" in answer.document["detail"]


def test_a_ledger_that_is_away_is_told_to_everybody(
    serve: Serve, server_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> Any:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(writing, "append_batches", away)
    answers = serve(*(tracked(server_key, number) for number in range(5)))
    assert [each.status for each in answers] == [503] * 5
    assert all("the disk is full" in each.document["detail"] for each in answers)


def test_a_failure_that_nobody_foresaw_is_an_answer_too(
    serve: Serve, server_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("surprise")

    monkeypatch.setattr("web.api.events.parse_body", broken)
    (answer,) = serve(tracked(server_key, 1))
    assert (answer.status, answer.document["success"]) == (500, False)


@pytest.mark.parametrize("path", ["/v1/batch", EVALUATION])
def test_a_body_that_is_too_long_is_refused_unread(serve: Serve, server_key: str, path: str) -> None:
    asked, _ = posted(server_key, path, {})
    asked.headers = Sent(("authorization", f"Bearer {server_key}"), ("content-length", str(MAX_BODY + 1)))
    told = Told(b"x" * (MAX_BODY + 1))
    (answer,) = serve((asked, told))
    assert (answer.status, told.read) == (413, 0)


@pytest.mark.parametrize("path", ["/v1/batch", EVALUATION, "/api/v1/experiments"])
def test_of_a_body_without_a_length_no_more_is_read_than_is_allowed(
    serve: Serve, server_key: str, path: str
) -> None:
    told = Told(b"[" * (3 * MAX_BODY))
    (answer,) = serve((Asked(path, "POST", Sent(("authorization", f"Bearer {server_key}"))), told))
    assert answer.status in (401, 413)
    assert told.read < MAX_BODY + 2 * told.piece


def test_half_a_body_is_never_acknowledged(serve: Serve, server_key: str) -> None:
    asked, told = tracked(server_key, 1)
    told.body = told.body[:-10]
    (answer,) = serve((asked, told))
    assert (answer.status, answer.document["success"]) == (400, False)


def test_a_path_that_is_no_text_is_refused(serve: Serve) -> None:
    (answer,) = serve((Undecodable("/"), Told()))
    assert answer.status == 400


@pytest.fixture
def bridged() -> Callable[[Flask, Asked, Told], Told]:
    """Serve a request of an application through the bridge."""

    def served(app: Flask, asked: Asked, told: Told) -> Told:
        async def one() -> None:
            bridge = Bridge(app.wsgi_app, threads=2)
            await bridge.serve(cast("Any", asked), cast("Any", told), asked.path)

        run(one())
        return told

    return served


def test_the_application_sees_the_request_as_it_was_sent(bridged: Callable[..., Told]) -> None:
    app = Flask(__name__)

    @app.post("/läsa/<name>")
    def show(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "query": request.args.to_dict(),
            "cookies": request.cookies.to_dict(),
            "accept": request.headers["Accept"],
            "form": request.form.to_dict(),
            "host": request.host,
        }

    headers = Sent(
        ("host", "a.example"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("accept", "text/html"),
        ("accept", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "7"),
    )
    asked = Asked("/läsa/名字", "POST", headers, query_string="q=%E5%90%8D")
    seen = bridged(app, asked, Told(b"typed=1")).document
    assert seen == {
        "name": "名字",
        "query": {"q": "名"},
        "cookies": {"a": "1", "b": "2"},
        "accept": "text/html, text/plain",
        "form": {"typed": "1"},
        "host": "a.example",
    }


def test_a_stream_is_sent_part_by_part_and_closed(bridged: Callable[..., Told]) -> None:
    app = Flask(__name__)
    closed: list[bool] = []

    def parts() -> Iterator[str]:
        yield from ("one\n", "two\n")

    @app.get("/export")
    def export() -> Response:
        answer = Response(parts(), mimetype="text/csv")
        answer.call_on_close(lambda: closed.append(True))
        return answer

    told = bridged(app, Asked("/export"), Told())
    assert (told.status, told.parts, closed) == (200, [b"one\n", b"two\n"], [True])
    assert bridged(app, Asked("/export", "HEAD"), Told()).answer == b""


def test_what_goes_wrong_in_a_page_is_an_answer(bridged: Callable[..., Told]) -> None:
    app = Flask(__name__)

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("surprise")

    assert bridged(app, Asked("/broken"), Told()).status == 500
