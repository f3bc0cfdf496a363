"""The front: how a serving process meets its server (RSGI, granian's own interface).

One thread runs an event loop. It answers evaluations by itself, hands events to the ledger's writer and goes
on until they are safe, and leaves everything else to Flask in a few threads beside it. So no thread is held
by a request that waits for the disk, nobody queues behind it, and hundreds of single events share a commit.
What takes longer than a moment, long batches and previews, is done in a thread as well: of batches one at a
time, because two would not be quicker in one interpreter.
"""

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from experiments.previews import PARAMETER
from experiments.writing import PATIENCE, Job
from web.api.bodies import BodyRefused, announced_length, complete, require_bearable
from web.api.doors import Doors, single_slash
from web.api.events import EventsDoor, Pending
from web.api.exchange import Answer, Call
from web.bridge import BODILESS, Bridge, receive

if TYPE_CHECKING:
    from granian._granian import (
        RSGIHTTPProtocol as HTTPProtocol,  # exported under this name, but not for mypy
    )
    from granian.rsgi import Scope

LONG_BODY = 64 * 1024
"""Bytes from which a body takes long enough to be taken apart beside the loop."""

THREADS = 6
"""Threads that serve pages and the management API."""

SWEEP = 0.5
"""Seconds between looks for requests that have waited for too long."""

_ASKS_PREVIEW = PARAMETER.encode()


class Front:
    """Serves one process's requests."""

    def __init__(self, doors: Doors) -> None:
        self._evaluations = doors.evaluations
        self._pages = Bridge(doors.inner, threads=THREADS)
        self._events = EventStoring(doors.events)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, in the loop that will run."""
        self._events.begin(loop)

    async def __rsgi__(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        """Serve one request."""
        try:
            path = single_slash(scope.path)
        except UnicodeDecodeError:
            protocol.response_empty(400, [])
            return
        if self._evaluations.takes(path):
            call = await _call(scope, protocol, path)
            answer = self._evaluations.answer(call) if _is_quick(call) else await self._evaluate(call)
        elif self._events.door.takes(path):
            answer = await self._events.answer(await _call(scope, protocol, path))
        else:
            await self._pages.serve(scope, protocol, path)
            return
        protocol.response_bytes(answer.status, answer.lines, answer.body)

    async def _evaluate(self, call: Call) -> Answer:
        """Evaluate beside the loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pages.threads, self._evaluations.answer, call)


def _is_quick(call: Call) -> bool:
    """Whether an evaluation needs nothing but memory: only previews ask the database, which may be away."""
    return not isinstance(call.body, bytes) or _ASKS_PREVIEW not in call.body


class EventStoring:
    """Lets requests wait for the ledger without a thread.

    The writer tells of many jobs at once; the loop is woken once for all of them.
    """

    def __init__(self, door: EventsDoor) -> None:
        self.door = door
        self._aside = ThreadPoolExecutor(1, "aside")
        self._told: deque[Job] = deque()
        self._waiting: dict[Job, asyncio.Future[None]] = {}
        self._begun: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._woken = False
        self._loop: asyncio.AbstractEventLoop

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, in the loop that will run."""
        self._loop = loop
        loop.call_later(SWEEP, self._sweep)

    async def answer(self, call: Call) -> Answer:
        """Answer a request once its events are safe, or are known not to be."""
        if isinstance(call.body, bytes) and len(call.body) >= LONG_BODY:
            begun = await self._loop.run_in_executor(self._aside, self.door.begin, call, self._tell)
        else:
            begun = self.door.begin(call, self._tell)
        if isinstance(begun, Pending):
            await self._wait(begun.job)
            return self.door.end(begun)
        return begun

    async def _wait(self, job: Job) -> None:
        if job.outcome is not None:
            return
        future = self._loop.create_future()
        self._waiting[job] = future
        self._begun.append((time.monotonic(), future))
        try:
            await future
        finally:
            del self._waiting[job]

    def _tell(self, job: Job) -> None:
        """Called in the writing thread."""
        self._told.append(job)
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._woken = False  # before looking: whoever tells from now on wakes the loop again
        while self._told:
            future = self._waiting.get(self._told.popleft())
            if future is not None and not future.done():
                future.set_result(None)

    def _sweep(self) -> None:
        """Let nobody wait for ever."""
        latest = time.monotonic() - PATIENCE
        while self._begun and (self._begun[0][1].done() or self._begun[0][0] < latest):
            _, future = self._begun.popleft()
            if not future.done():
                future.set_result(None)
        self._loop.call_later(SWEEP, self._sweep)


async def _call(scope: "Scope", protocol: "HTTPProtocol", path: str) -> Call:
    """Read a request; its body is unpacked, or stands for the reason why it is not taken."""
    method, header = scope.method, scope.headers.get
    if method in BODILESS:
        return Call(method, path, header, b"")
    try:
        announced = announced_length(header("content-length"))
        require_bearable(announced)
        # As much as was announced at once: a coroutine more for each request would be felt.
        body = await protocol() if announced is not None else await receive(protocol)
        return Call(method, path, header, complete(body, announced))
    except BodyRefused as refused:
        return Call(method, path, header, refused)
