"""Multi-level undo and redo of our own actions, with a memory cap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol


class Action(Protocol):
    """Something that was done and can be taken back.

    An action may also have an attribute `gone`: true when what it changed no longer exists, so that it is forgotten.
    """

    @property
    def title(self) -> str:
        """What was done, in a few words."""

    @property
    def nbytes(self) -> int:
        """Memory it takes."""

    def undo(self) -> None:
        """Take it back, or raise and change nothing."""

    def redo(self) -> None:
        """Do it again, or raise and change nothing."""


class Group:
    """Several actions of one gesture as one."""

    def __init__(self, title: str, actions: Sequence[Action] = ()) -> None:
        self.title = title
        self.actions = list(actions)

    @property
    def nbytes(self) -> int:
        """Memory of all actions."""
        return sum(action.nbytes for action in self.actions)

    @property
    def gone(self) -> bool:
        """Whether nothing is left that the actions changed."""
        return all(is_gone(action) for action in self.actions)

    def undo(self) -> None:
        """Take all back, the last first; when one fails, those already taken back are done again."""
        present = [a for a in self.actions if not is_gone(a)]
        _all_or_none([(a.undo, a.redo) for a in reversed(present)])

    def redo(self) -> None:
        """Do all again; when one fails, those already done are taken back."""
        present = [a for a in self.actions if not is_gone(a)]
        _all_or_none([(a.redo, a.undo) for a in present])


class History:
    """Undo and redo, used from one thread.

    Parameters
    ----------
    limit_bytes
        Memory of all actions; the oldest are dropped beyond it, the newest is always kept.
    """

    def __init__(self, limit_bytes: int = 256 * 2**20) -> None:
        self._limit = limit_bytes
        self._done: list[Action] = []
        self._undone: list[Action] = []
        self._open: list[Group] = []
        self._busy = False
        self._callbacks: list[Callable[[], None]] = []

    def push(self, action: Action) -> None:
        """Record something already done; nothing can be redone after it.

        What is pushed while an action is being undone or redone belongs to that action and is not recorded.
        """
        if self._busy:
            return
        if self._open:
            self._open[-1].actions.append(action)
            return
        self._undone.clear()
        self._done.append(action)
        self._drop_oldest()
        self._notify()

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Make one action of all that is pushed inside, also when the block fails halfway."""
        group = Group(title)
        self._open.append(group)
        try:
            yield
        finally:
            self._open.remove(group)
            if group.actions:
                self.push(group)

    def undo(self) -> Action | None:
        """Take the last action back and return it; None without any, or in the middle of a group.

        Raises
        ------
        Exception
            Whatever the action raises; it then stays where it was.
        """
        return self._move(self._done, self._undone, "undo")

    def redo(self) -> Action | None:
        """Do the action last taken back again and return it; None without any, or in the middle of a group.

        Raises
        ------
        Exception
            Whatever the action raises; it then stays where it was.
        """
        return self._move(self._undone, self._done, "redo")

    @property
    def undo_title(self) -> str | None:
        """What undo would take back."""
        return next((a.title for a in reversed(self._done) if not is_gone(a)), None)

    @property
    def redo_title(self) -> str | None:
        """What redo would do again."""
        return next((a.title for a in reversed(self._undone) if not is_gone(a)), None)

    @property
    def nbytes(self) -> int:
        """Memory of all actions."""
        return sum(a.nbytes for a in (*self._done, *self._undone))

    @property
    def busy(self) -> bool:
        """Whether an action is being undone or redone."""
        return self._busy

    def discard(self, drop: Callable[[Action], bool]) -> None:
        """Forget actions, single ones inside groups too, such as those on a layer that was deleted."""
        self._done = _without(self._done, drop)
        self._undone = _without(self._undone, drop)
        self._notify()

    def discard_gone(self) -> None:
        """Forget actions on what no longer exists."""
        self.discard(is_gone)

    def clear(self) -> None:
        """Forget everything."""
        self._done.clear()
        self._undone.clear()
        self._notify()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after every change; returns the function that ends it."""
        self._callbacks.append(callback)

        def end() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return end

    def _move(self, source: list[Action], target: list[Action], do: Literal["undo", "redo"]) -> Action | None:
        if self._busy or self._open:
            return None
        while source and is_gone(source[-1]):
            source.pop()
        if not source:
            self._notify()
            return None
        action = source[-1]
        self._busy = True
        try:
            getattr(action, do)()
        finally:
            self._busy = False
        # by identity: the action may have made somebody clear the history
        if source and source[-1] is action:
            target.append(source.pop())
        self._drop_oldest()
        self._notify()
        return action

    def _drop_oldest(self) -> None:
        excess = self.nbytes - self._limit
        while excess > 0 and len(self._done) + len(self._undone) > 1:
            # what was undone longest ago is the farthest from here once nothing is left to undo
            excess -= (self._done if len(self._done) > 1 or not self._undone else self._undone).pop(0).nbytes

    def _notify(self) -> None:
        for callback in list(self._callbacks):
            callback()


def is_gone(action: Action) -> bool:
    """Tell whether what an action changed no longer exists."""
    return bool(getattr(action, "gone", False))


def _without(actions: list[Action], drop: Callable[[Action], bool]) -> list[Action]:
    kept: list[Action] = []
    for action in actions:
        if isinstance(action, Group):
            action.actions = _without(action.actions, drop)
            if action.actions:
                kept.append(action)
        elif not drop(action):
            kept.append(action)
    return kept


def _all_or_none(steps: Sequence[tuple[Callable[[], None], Callable[[], None]]]) -> None:
    """Take all steps; when one fails, take the earlier ones back."""
    taken: list[Callable[[], None]] = []
    for step, back in steps:
        try:
            step()
        except BaseException:
            for undo_step in reversed(taken):
                undo_step()
            raise
        taken.append(back)
