from __future__ import annotations

import json
import subprocess
import sys

import pytest

from napari_lightbox.contract import describe, registry


def test_list_names_every_technique(lightbox):
    code, out, _ = lightbox("list")
    assert code == 0
    assert all(f"  {t.id}" in out for t in registry.find())


def test_list_of_one_family(lightbox):
    code, out, _ = lightbox("list", "--family", "denoise")
    assert code == 0
    assert out.splitlines()[0] == "denoise"
    assert len(out.splitlines()) == 1 + len(registry.find("denoise"))


def test_list_json_is_the_contract(lightbox):
    _, out, _ = lightbox("list", "--json")
    assert json.loads(out) == json.loads(json.dumps([describe(t) for t in registry.find()]))


def test_unknown_family_names_the_known_ones(lightbox):
    code, _, err = lightbox("list", "--family", "cooking")
    assert code == 2
    assert "denoise" in err


def test_show_explains_parameters(lightbox):
    code, out, _ = lightbox("show", "gaussian_blur")
    assert code == 0
    for words in ("Gaussian blur", "sigma = 1.0", "0 to 200, px, one or one per axis", "px | physical", "neighbourhood"):
        assert words in out


@pytest.mark.parametrize("technique", registry.find(), ids=lambda t: t.id)
def test_show_works_for_every_technique(technique, lightbox):
    code, out, _ = lightbox("show", technique.id)
    assert code == 0
    assert technique.title in out
    assert all(f"  {p.name} = " in out for p in technique.parameters)


def test_show_of_a_wrong_id_suggests_the_right_one(lightbox):
    code, _, err = lightbox("show", "gausian_blur")
    assert code == 2
    assert "gaussian_blur" in err
    assert "Traceback" not in err


def test_debug_shows_where(lightbox):
    with pytest.raises(Exception, match="gaussian_blur"):
        lightbox("--debug", "show", "gausian_blur")


def test_no_command_shows_the_help(lightbox):
    code, out, _ = lightbox()
    assert code == 2
    assert "convert" in out


def test_doctor_finds_everything_needed(lightbox):
    code, out, _ = lightbox("doctor")
    assert code == 0
    for words in ("numpy", "memory budget", "techniques in", "gui (the napari plugin)", "Everything needed is here"):
        assert words in out


def test_doctor_says_what_is_missing(lightbox, monkeypatch):
    from napari_lightbox.cli import doctor

    versions = {"SimpleITK": None, "simpleitk": None, "opencv-python": "5.0.0"}
    known = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: versions[name] if name in versions else known(name))
    monkeypatch.setenv("LIGHTBOX_CACHE", "/nowhere")
    code, out, _ = lightbox("doctor")
    assert code == 1
    assert "pip install 'simpleitk>=2.4'" in out.lower()
    assert "opencv-python 5.0.0 does not fit" in out


def test_starting_up_loads_nothing_heavy():
    """scipy, dask and the like would cost a second on every `lightbox list`."""
    program = (
        "import sys; from napari_lightbox.cli.app import main; main(['list']); "
        "sys.stderr.write(' '.join(m for m in ('scipy', 'skimage', 'cv2', 'dask', 'pandas', 'numba', 'SimpleITK', 'napari') "
        "if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_module_runs_like_the_command():
    done = subprocess.run([sys.executable, "-m", "napari_lightbox", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("napari-lightbox ")
