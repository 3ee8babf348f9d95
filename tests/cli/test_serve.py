from __future__ import annotations

import pytest

from napari_lightbox.cli.app import make_parser
from napari_lightbox.cli.serve import read_config


def config_of(*arguments):
    return read_config(make_parser().parse_args(["serve", *map(str, arguments)]))


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("alice alice-0123456789abcdef\n")
    path.chmod(0o600)
    return path


def test_options_become_the_configuration(tmp_path, tokens):
    (tmp_path / "c.pem").touch()
    config, is_new = config_of(
        *("--host", "0.0.0.0", "--port", "0", "--name", "a.example", "--name", "b.example", "--folder", tmp_path / "f"),
        *("--token-file", tokens, "--cert", tmp_path / "c.pem", "--key", tmp_path / "c.pem", "--root", tmp_path),
        *("--allow-host", "data.example.org", "--workers", "2", "--threads", "3", "--memory", "4GB", "--quota", "5GiB"),
        *("--least-free", "1GB", "--lease", "0.5", "--scheduler", "tls://host:8786"),
    )
    assert not is_new
    assert (config.host, config.port, config.names) == ("0.0.0.0", 0, ("a.example", "b.example"))
    assert (config.folder, config.roots, config.hosts) == (tmp_path / "f", (tmp_path.resolve(),), ("data.example.org",))
    assert (config.workers, config.threads, config.memory) == (2, 3, 4 * 10**9)
    assert (config.limits.quota, config.limits.least_free, config.limits.lease) == (5 * 2**30, 10**9, 1800.0)
    assert config.tokens == {"alice": "alice-0123456789abcdef"}
    assert config.scheduler == "tls://host:8786"
    assert config.tls


def test_by_default_it_is_this_machine_alone(monkeypatch):
    monkeypatch.delenv("LIGHTBOX_TOKEN", raising=False)
    config, is_new = config_of()
    assert config.is_loopback
    assert is_new
    assert config.port == 8000
    assert config.roots == config.hosts == ()
    assert config.folder.is_absolute()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "--insecure-network"),
        (["--token-file", "MISSING"], "cannot be read"),
        (["--root", "MISSING"], "is no folder"),
        (["--cert", "MISSING", "--key", "MISSING"], "PEM"),
        (["--memory", "much"], "2GB"),
        (["--quota", "-1"], "2GB"),
        (["--lease", "0"], "above 0"),
        (["--port", "70000"], "65535"),
        (["--workers", "0"], "workers"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, words, lightbox, tmp_path):
    named = [str(tmp_path / "missing") if a == "MISSING" else a for a in arguments]
    code, out, err = lightbox("serve", "--folder", tmp_path / "f", *named)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
    assert out == ""
    assert not (tmp_path / "f").exists()


def test_a_token_in_the_environment_that_can_be_guessed(lightbox, monkeypatch, tmp_path):
    monkeypatch.setenv("LIGHTBOX_TOKEN", "guess-me")
    code, _, err = lightbox("serve", "--folder", tmp_path)
    assert code == 2
    assert "guess-me" not in err


def test_a_folder_that_another_server_holds(lightbox, tmp_path):
    from napari_lightbox.server.lock import locked

    with locked(tmp_path):
        code, out, err = lightbox("serve", "--folder", tmp_path, "--port", "0")
    assert code == 2
    assert "in use by another server" in err
    assert "token" not in out + err


def test_what_is_not_installed_is_named(lightbox, monkeypatch):
    import napari_lightbox.cli.serve as module

    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "uvicorn" else object())
    code, _, err = lightbox("serve")
    assert code == 2
    assert "needs uvicorn" in err
    assert "pip install 'napari-lightbox[server]'" in err


def test_the_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        make_parser().parse_args(["serve", "--help"])
    told = capsys.readouterr().out
    for option in ("--token-file", "--insecure-network", "--allow-host", "--least-free", "--lease", "--scheduler"):
        assert option in told
