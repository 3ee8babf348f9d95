"""Events: a slow listener misses what is in between, never the end and never a wanted chunk."""

from __future__ import annotations

import asyncio
import threading

import pytest

from napari_lightbox.server.jobs.events import Event, Events


def state(fraction: float, status: str = "running") -> Event:
    return Event("state", {"status": status, "fraction": fraction})


def wanted(*chunks: int) -> Event:
    return Event("wanted", {"source": "s", "chunks": list(chunks)})


async def all_of(events: Events, job: str = "a") -> list[Event]:
    return [event async for event in events.subscribe(job)]


async def joined(events: Events, count: int = 1, job: str = "a") -> None:
    while len(events._listeners.get(job, ())) < count:  # noqa: ASYNC110 - nothing tells that somebody has joined
        await asyncio.sleep(0)


def test_a_new_listener_first_hears_where_a_job_stands() -> None:
    async def run() -> list[Event]:
        events = Events(lambda _: [state(0.25), wanted(3)])
        heard = asyncio.ensure_future(all_of(events))
        await joined(events)
        threading.Thread(target=events.publish, args=("a", state(1.0, "done"))).start()
        return await heard

    assert asyncio.run(run()) == [state(0.25), wanted(3), state(1.0, "done")]


def test_a_job_that_is_over_is_told_once() -> None:
    assert asyncio.run(all_of(Events(lambda _: [state(1.0, "failed"), wanted(1)]))) == [state(1.0, "failed")]


def test_a_slow_listener_hears_the_last_state_and_every_wanted_chunk() -> None:
    async def run() -> list[Event]:
        events = Events(lambda _: [state(0.0)])
        stream = events.subscribe("a")
        heard = [await anext(stream)]
        for n in range(1000):
            events.publish("a", state(n / 1000))
            events.publish("a", wanted(n, n + 1))
        events.publish("a", Event("outputs", {}))
        events.publish("a", state(1.0, "done"))
        return heard + [event async for event in stream]

    heard = asyncio.run(run())
    assert heard[0] == state(0.0)
    assert heard[1] == Event("wanted", {"source": "s", "chunks": list(range(1001))})
    assert heard[2:] == [Event("outputs", {}), state(1.0, "done")]


async def told_while_a_job_grows(other: Event) -> list[Event]:
    """Return what a quick listener hears of two hundred states in a row and of one more event."""
    events = Events(lambda _: [state(0.0)])
    heard: list[Event] = []

    async def listen() -> None:
        async for event in events.subscribe("a"):
            heard.append(event)  # noqa: PERF401 - looked at while it grows

    listening = asyncio.ensure_future(listen())
    await joined(events)
    for n in range(200):
        events.publish("a", state((n + 1) / 1000))
        await asyncio.sleep(0.001)
    events.publish("a", other)
    while other not in heard:  # noqa: ASYNC110 - nothing else tells that it was heard
        await asyncio.sleep(0.01)
    listening.cancel()
    return heard


def test_a_bar_that_grows_is_told_a_few_times_and_where_it_stopped() -> None:
    heard = asyncio.run(asyncio.wait_for(told_while_a_job_grows(state(0.5)), 60))
    assert len(heard) < 100
    assert heard[-1] == state(0.5)


@pytest.mark.parametrize("pressing", [wanted(1), Event("outputs", {}), state(1.0, "done")])
def test_what_somebody_waits_for_does_not_wait_for_a_bar(monkeypatch: pytest.MonkeyPatch, pressing: Event) -> None:
    monkeypatch.setattr("napari_lightbox.server.jobs.events.STATE_SECONDS", 3600.0)
    assert pressing in asyncio.run(asyncio.wait_for(told_while_a_job_grows(pressing), 60))


def test_chunks_that_came_meanwhile_are_not_wanted_any_more() -> None:
    async def run() -> list[Event]:
        events = Events(lambda _: [state(0.0)])
        stream = events.subscribe("a")
        await anext(stream)
        events.publish("a", wanted(1, 2, 3))
        events.withdraw("a", "s", [1, 3])
        events.publish("a", state(1.0, "done"))
        return [event async for event in stream]

    assert asyncio.run(run())[0] == wanted(2)


def test_everybody_hears_and_only_of_the_own_job() -> None:
    async def run() -> list[list[Event]]:
        events = Events(lambda _: [state(0.0)])
        listening = [asyncio.ensure_future(all_of(events, job)) for job in ("a", "a", "b")]
        await joined(events, 2)
        await joined(events, 1, "b")
        events.publish("a", state(1.0, "cancelled"))
        events.publish("b", state(1.0, "done"))
        heard = await asyncio.gather(*listening)
        assert not events._listeners
        return heard

    first, second, other = asyncio.run(run())
    assert first == second == [state(0.0), state(1.0, "cancelled")]
    assert other[-1] == state(1.0, "done")


def test_a_listener_whose_loop_is_gone_harms_nobody() -> None:
    events = Events(lambda _: [state(0.0)])

    async def run() -> None:
        await anext(events.subscribe("a"))

    asyncio.run(run())
    events.publish("a", state(0.5))
