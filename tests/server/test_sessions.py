"""Sessions: two clocks, what they keep, and who may speak for them."""

from __future__ import annotations

import pytest

from napari_lightbox.errors import GoneError, NotFoundError
from napari_lightbox.server.sessions import Sessions


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Pinned:
    """Sources of ada, of which it is noted who holds them."""

    def __init__(self) -> None:
        self.held: dict[str, set[str]] = {}

    def owners(self, source: str) -> set[str]:
        if source == "nothing":
            raise NotFoundError("source", "is not there", "Send it again")
        return {"ada"}

    def pin(self, source: str, holder: str) -> None:
        self.held.setdefault(holder, set()).add(source)

    def unpin(self, holder: str, source: str | None = None) -> None:
        left = set() if source is None else self.held.get(holder, set()) - {source}
        self.held[holder] = left
        if not left:
            del self.held[holder]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sources():
    return Pinned()


@pytest.fixture
def sessions(sources, clock):
    return Sessions(sources, idle=600.0, dead=60.0, clock=clock)


def test_a_session_keeps_its_sources_until_it_ends(sessions, sources) -> None:
    name = sessions.create("ada", ["a", "b"])
    assert list(sources.held.values()) == [{"a", "b"}]
    sessions.end(name, "ada")
    assert not sources.held
    with pytest.raises(GoneError):
        sessions.end(name, "ada")


def test_what_a_session_keeps_can_be_changed(sessions, sources, clock) -> None:
    name = sessions.create("ada", ["a", "b"])
    other = sessions.create("ada", ["a"])
    clock.now += 590
    sessions._sessions[name].heard = sessions._sessions[other].heard = clock.now
    sessions.hold(name, "ada", ["b", "c"])
    assert sorted(map(sorted, sources.held.values())) == [["a"], ["b", "c"]]
    clock.now += 59
    # to keep something else is to do something
    sessions.beat(name, "ada")
    with pytest.raises(GoneError):
        sessions.beat(other, "ada")
    assert list(sources.held.values()) == [{"b", "c"}]
    sessions.hold(name, "ada", [])
    assert not sources.held
    sessions.hold(name, "ada", ["a"])
    sessions.end(name, "ada")
    assert not sources.held
    with pytest.raises(GoneError):
        sessions.hold(name, "ada", ["a"])
    assert not sources.held


def test_one_more_source_is_kept_beside_the_others(sessions, sources) -> None:
    name = sessions.create("ada", ["a"])
    assert sessions.add(name, "ada", "b")
    assert list(sources.held.values()) == [{"a", "b"}]
    assert not sessions.add(name, "bob", "c")
    with pytest.raises(NotFoundError):
        sessions.add(name, "ada", "nothing")
    assert list(sources.held.values()) == [{"a", "b"}]
    sessions.end(name, "ada")
    assert not sessions.add(name, "ada", "a")
    assert not sources.held


def test_what_cannot_be_kept_changes_nothing(sessions, sources) -> None:
    name = sessions.create("ada", ["a"])
    with pytest.raises(NotFoundError, match="nothing is not there"):
        sessions.hold(name, "ada", ["b", "nothing"])
    assert list(sources.held.values()) == [{"a"}]


def test_silence_ends_it(sessions, sources, clock) -> None:
    name = sessions.create("ada", ["a"])
    for _ in range(5):
        clock.now += 50
        sessions.beat(name, "ada")
    clock.now += 61
    with pytest.raises(GoneError, match="Begin a new one"):
        sessions.beat(name, "ada", True)
    assert not sources.held


def test_doing_nothing_ends_it_however_alive_it_is(sessions, sources, clock) -> None:
    name = sessions.create("ada", ["a"])
    for n in range(20):
        clock.now += 50
        sessions.beat(name, "ada", active=n == 9)
    clock.now += 50
    sessions.beat(name, "ada")
    clock.now += 55
    with pytest.raises(GoneError):
        sessions.beat(name, "ada")


def test_the_sweep_ends_what_nobody_speaks_for(sessions, sources, clock) -> None:
    sessions.create("ada", ["a"])
    clock.now += 30
    kept = sessions.create("ada", ["b"])
    clock.now += 40
    sessions.sweep()
    assert list(sources.held.values()) == [{"b"}]
    sessions.beat(kept, "ada")


def test_others_are_not_let_in(sessions, sources) -> None:
    name = sessions.create("ada", ["a"])
    for call in (sessions.beat, sessions.end):
        with pytest.raises(GoneError):
            call(name, "bob")
    with pytest.raises(GoneError):
        sessions.hold(name, "bob", [])
    with pytest.raises(NotFoundError):
        sessions.create("bob", ["a"])
    with pytest.raises(NotFoundError):
        sessions.create("ada", ["a", "nothing"])
    assert len(sources.held) == 1
