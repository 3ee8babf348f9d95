"""`lightbox doctor`: what is installed, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Mark = Literal["ok", "note", "missing"]
_SIGNS = {"ok": "ok     ", "note": "note   ", "missing": "MISSING"}
_DISTRIBUTION = "napari-lightbox"
_OPENCVS = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")
_QT_LIBRARIES = ("GL", "EGL", "xkbcommon-x11", "xcb-cursor", "xcb-icccm", "xcb-keysyms", "dbus-1")


@dataclass(frozen=True)
class Finding:
    """One line of the report; only ``missing`` means that something does not work."""

    mark: Mark
    text: str


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser("doctor", help="check the installation", description="Check the installation, in words.")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 1 when something needed is missing."""
    del arguments
    broken = False
    for title, check in _SECTIONS.items():
        print(title)
        for finding in check():
            broken |= finding.mark == "missing"
            print(f"  {_SIGNS[finding.mark]} {finding.text}")
    print("\nSomething is missing; the lines above say what to do." if broken else "\nEverything needed is here.")
    return int(broken)


def _system() -> Iterator[Finding]:
    from napari_lightbox.errors import LightboxError
    from napari_lightbox.settings import settings

    yield Finding("ok", f"{platform.platform()}, Python {platform.python_version()} at {sys.executable}")
    try:
        current = settings()
    except LightboxError as error:
        yield Finding("missing", str(error))
        return
    import psutil

    memory = psutil.virtual_memory()
    yield Finding(
        "ok",
        f"memory budget {current.memory_budget / 1e9:.1f} GB of {memory.available / 1e9:.1f} GB free "
        f"({memory.total / 1e9:.1f} GB in all); change it with LIGHTBOX_MEMORY_BUDGET=2GB",
    )
    yield Finding("ok", f"{current.threads} threads, scheduler {current.scheduler}, device {current.device}")
    yield _folder(current.cache_folder)


def _folder(folder: Path) -> Finding:
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    if os.access(existing, os.W_OK):
        return Finding("ok", f"cache folder {folder}")
    return Finding("missing", f"cache folder {folder} cannot be written; set LIGHTBOX_CACHE to a folder of yours")


def _packages() -> Iterator[Finding]:
    for requirement in _required(None):
        yield _package(requirement)
    present = [name for name in _OPENCVS if _version(name)]
    if len(present) > 1:
        yield Finding("note", f"{' and '.join(present)} overwrite each other's files; keep one: pip uninstall {present[1]}")


def _package(requirement: Requirement) -> Finding:
    name, version = requirement.name, _version(requirement.name)
    if version is None and name == "opencv-python":
        name = next((o for o in _OPENCVS if _version(o)), name)
        version = _version(name)
    if version is None:
        return Finding("missing", f"{name}: pip install '{requirement.name}{requirement.specifier}'")
    if not requirement.specifier.contains(version, prereleases=True):
        return Finding("missing", f"{name} {version} does not fit: pip install '{name}{requirement.specifier}'")
    return Finding("ok", f"{name} {version}")


def _extras() -> Iterator[Finding]:
    purposes = {
        "gui": "the napari plugin",
        "deep": "learned models",
        "server": "lightbox serve and clusters",
        "remote": "running on a server",
    }
    for extra, purpose in purposes.items():
        needed = [requirement.name for requirement in _required(extra)]
        absent = [name for name in needed if _version(name) is None]
        if absent:
            yield Finding("note", f"{extra} ({purpose}) lacks {', '.join(absent)}: pip install '{_DISTRIBUTION}[{extra}]'")
        else:
            yield Finding("ok", f"{extra} ({purpose}): {', '.join(f'{n} {_version(n)}' for n in needed)}")


def _required(extra: str | None) -> list[Requirement]:
    """Return what the package, or one of its extras, asks for."""
    from packaging.requirements import Requirement

    found = [Requirement(text) for text in metadata.requires(_DISTRIBUTION) or []]
    return [r for r in found if r.name != _DISTRIBUTION and _belongs(r, extra)]


def _belongs(requirement: Requirement, extra: str | None) -> bool:
    marker = requirement.marker
    if marker is None or marker.evaluate({"extra": ""}):
        return extra is None
    return extra is not None and marker.evaluate({"extra": extra})


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _display() -> Iterator[Finding]:
    if sys.platform == "linux":
        from ctypes.util import find_library

        absent = [name for name in _QT_LIBRARIES if find_library(name) is None]
        if absent:
            yield Finding(
                "note",
                f"system libraries not found: {', '.join(absent)}; the napari window may need them (see the guide)",
            )
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            yield Finding("note", "no display; run with xvfb-run -a to open napari without a screen")
            return
    if _version("PySide6") is None and _version("PyQt6") is None:
        yield Finding("note", f"no Qt; the napari window needs pip install '{_DISTRIBUTION}[gui]'")
        return
    yield _open_gl()


_GL_QUESTION = """
from qtpy.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
application = QGuiApplication([])
surface, context = QOffscreenSurface(), QOpenGLContext()
surface.create()
works = context.create() and context.makeCurrent(surface)
print("CONTEXT", works, context.format().majorVersion(), context.format().minorVersion())
"""


def _open_gl() -> Finding:
    """Ask Qt for an OpenGL context in a process of its own: a broken driver may crash it."""
    import subprocess

    try:
        answer = subprocess.run([sys.executable, "-c", _GL_QUESTION], capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return Finding("note", "OpenGL did not answer within 30 s; napari's canvas may not open")
    found = re.search(r"CONTEXT True (\d+) (\d+)", answer.stdout)
    if found:
        return Finding("ok", f"OpenGL {found[1]}.{found[2]} on this display")
    return Finding("note", "no OpenGL context; napari's canvas will not open. Install a graphics driver or libgl1-mesa-dri")


def _compute() -> Iterator[Finding]:
    import shutil

    if _version("torch") is not None:
        cuda = import_module("torch").cuda
        names = [cuda.get_device_name(i) for i in range(cuda.device_count())]
        yield Finding("ok" if names else "note", f"torch sees {', '.join(names) or 'no GPU; models run on the CPU'}")
    elif shutil.which("nvidia-smi"):
        yield Finding("note", f"there is an NVIDIA driver but no torch; pip install '{_DISTRIBUTION}[deep]' to use the GPU")
    else:
        yield Finding("note", "no GPU in use; everything runs on the CPU")


def _techniques() -> Iterator[Finding]:
    from napari_lightbox.contract import registry
    from napari_lightbox.contract.registry import ENTRY_POINT_GROUP

    found = registry.find()
    yield Finding("ok", f"{len(found)} techniques in {len({t.family for t in found})} families")
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        yield Finding("ok", f"plugin {point.name} from {point.value}")


_SECTIONS = {
    "System": _system,
    "Packages": _packages,
    "Extras": _extras,
    "Display": _display,
    "Compute": _compute,
    "Techniques": _techniques,
}
