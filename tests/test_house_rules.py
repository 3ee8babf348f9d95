"""The shape of the code base: sizes, names, exports."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "napari_lightbox"
FILES = sorted(SOURCE.rglob("*.py"))
BANNED = re.compile(r"^_?(utils?|helpers?|common|misc|manager)$")
FILE_AIM, FILE_LIMIT = 250, 500
FUNCTION_AIM, FUNCTION_LIMIT = 40, 80


def functions(tree: ast.AST) -> list[ast.FunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]


def code_lines(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    length = function.end_lineno - function.lineno + 1
    return length - (first.end_lineno - first.lineno + 1 if documented else 0)


def test_no_room_is_named_after_nothing() -> None:
    bad = [p for p in SOURCE.rglob("*") if BANNED.match(p.stem)]
    assert not bad


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_sizes(path: Path, record_property) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= FILE_LIMIT, f"{path}: {lines} lines"
    long = {f.name: code_lines(f) for f in functions(ast.parse(text))}
    too_long = {name: n for name, n in long.items() if n > FUNCTION_LIMIT}
    assert not too_long, f"{path}: {too_long}"
    over = {name: n for name, n in long.items() if n > FUNCTION_AIM}
    if lines > FILE_AIM or over:
        record_property("over the aim", f"{lines} lines, {over}")


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.name == "__init__.py" and p.parent != SOURCE], ids=lambda p: str(p.parent.name)
)
def test_init_files_only_export(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        exports = isinstance(node, ast.Assign) and [t.id for t in node.targets] == ["__all__"]
        assert docstring or exports or isinstance(node, (ast.Import, ast.ImportFrom)), f"{path}: line {node.lineno} is code"


@pytest.mark.parametrize("path", sorted((SOURCE / "techniques").rglob("[!_]*.py")), ids=lambda p: p.stem)
def test_a_technique_lies_in_the_file_of_its_id(path: Path) -> None:
    decorated = [
        f.name for f in functions(ast.parse(path.read_text())) if any("technique" in ast.dump(d) for d in f.decorator_list)
    ]
    assert decorated == [path.stem]


def test_heavy_libraries_are_imported_inside_functions() -> None:
    heavy = {
        "scipy",
        "skimage",
        "cv2",
        "SimpleITK",
        "torch",
        "pandas",
        "sklearn",
        "nibabel",
        "pydicom",
        "tifffile",
        "zarr",
        "napari",
    }
    free = {"engine", "widgets", "testing"}
    for path in FILES:
        rooms = path.relative_to(SOURCE).parts
        if rooms[0] in free or rooms[:2] in {("models", "nets"), ("models", "train")}:
            continue
        for node in ast.parse(path.read_text()).body:
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not {n.partition(".")[0] for n in names} & heavy, f"{path}: line {node.lineno}"
