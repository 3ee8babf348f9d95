"""The one place where techniques are registered and found."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from napari_lightbox.contract.technique import Technique
from napari_lightbox.errors import ContractError, UnknownTechniqueError

ENTRY_POINT_GROUP = "napari_lightbox.techniques"
BUILT_IN = "napari_lightbox.techniques"


class Registry:
    """Techniques by id; built-in and third-party ones load at the first question."""

    def __init__(self) -> None:
        self._techniques: dict[str, Technique] = {}
        self._loaded = False
        self._lock = threading.RLock()

    def add(self, technique: Technique) -> Callable[[], None]:
        """Register a technique and return the function that takes it out again.

        Raises
        ------
        ContractError
            Another technique has this id.
        """
        present = self._techniques.get(technique.id)
        if present is not None and present.function is not technique.function:
            raise ContractError(
                technique.id,
                f"is declared by {present.function.__module__} and {technique.function.__module__}",
                "Choose another id",
            )
        technique.signature  # noqa: B018 - a broken declaration must fail here, not at first use
        self._techniques[technique.id] = technique

        def undo() -> None:
            self._techniques.pop(technique.id, None)

        return undo

    @contextmanager
    def temporary(self, *techniques: Technique) -> Iterator[None]:
        """Register techniques for the length of a with block."""
        undo = [self.add(t) for t in techniques]
        try:
            yield
        finally:
            for step in undo:
                step()

    def get(self, id: str) -> Technique:  # noqa: A002
        """Return the technique with this id.

        Raises
        ------
        UnknownTechniqueError
            There is none; the message names the closest ids.
        """
        self._load()
        try:
            return self._techniques[id]
        except KeyError:
            close = difflib.get_close_matches(str(id), self._techniques, n=3)
            hint = f"Did you mean {', '.join(close)}?" if close else "`lightbox list` shows all ids"
            raise UnknownTechniqueError("technique", f"there is none with id {id!r}", hint) from None

    def find(self, family: str | None = None, kind: str | None = None) -> list[Technique]:
        """Return the techniques of a family and kind (all by default), sorted by family and title."""
        self._load()
        chosen = [t for t in self._techniques.values() if family in (None, t.family) and kind in (None, t.kind)]
        return sorted(chosen, key=lambda t: (t.family, t.title.lower()))

    def _load(self) -> None:
        with self._lock:
            if self._loaded:
                return
            self._add_package(importlib.import_module(BUILT_IN))
            for point in entry_points(group=ENTRY_POINT_GROUP):
                self._add_third_party(point)
            self._loaded = True

    def _add_third_party(self, point: EntryPoint) -> None:
        try:
            self._add_entry(point.load())
        except Exception as error:  # noqa: BLE001 - one broken plugin must not take all techniques away
            warnings.warn(f"techniques of {point.value!r} are left out: {error}", stacklevel=2)

    def _add_entry(self, target: object) -> None:
        if isinstance(target, ModuleType):
            self._add_package(target) if hasattr(target, "__path__") else self._add_module(target)
        else:
            self._add_function(target)

    def _add_package(self, package: ModuleType) -> None:
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not info.name.rpartition(".")[2].startswith("_"):
                self._add_module(importlib.import_module(info.name))

    def _add_module(self, module: ModuleType) -> None:
        for value in vars(module).values():
            if getattr(value, "__module__", None) == module.__name__:
                self._add_function(value)

    def _add_function(self, value: object) -> None:
        record = getattr(value, "technique", None)
        if isinstance(record, Technique):
            self.add(record)


registry = Registry()
