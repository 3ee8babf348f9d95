from __future__ import annotations

import json
import logging

import pytest

from napari_lightbox.server import audit as module
from napari_lightbox.server.audit import Audit
from napari_lightbox.server.discreet import Discreet, DiscreetFormatter

TOKEN = "secret/token+0123456789"


@pytest.fixture
def audit(tmp_path):
    audit = Audit(tmp_path / "folder", [TOKEN])
    yield audit
    audit.close()


def lines(audit):
    return [json.loads(line) for line in audit.path.read_text("ascii").splitlines()]


def test_each_event_is_one_line(audit):
    audit.write("submitted", "alice", "10.0.0.1", job="j1", technique="gaussian_blur", bytes_in=12)
    audit.write("cancelled", "bob", job="j2", nothing=None)
    first, second = lines(audit)
    assert {k: v for k, v in first.items() if k != "time"} == {
        "event": "submitted",
        "owner": "alice",
        "address": "10.0.0.1",
        "job": "j1",
        "technique": "gaussian_blur",
        "bytes_in": 12,
    }
    assert set(second) == {"time", "event", "owner", "job"}
    assert first["time"].endswith("+00:00")


@pytest.mark.parametrize("text", ['a\nb", "event": "x', "\r\n", "\x1b[2J", "\u2028", "\0", "%s %d", "Ω" * 1000, "\ud800"])
def test_nothing_leaves_its_line(audit, text):
    audit.write("refused", path=text)
    (line,) = lines(audit)
    assert line["path"] == text[:200]


def test_tokens_do_not_show(audit):
    audit.write("refused", path=f"/v1/{TOKEN}", other="/v1/secret%2Ftoken%2B0123456789", long="x" * 190 + TOKEN)
    assert "0123456789" not in audit.path.read_text("ascii")


def test_only_the_owner_can_read_it(audit):
    assert audit.path.stat().st_mode & 0o077 == 0


def test_files_take_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FILE_BYTES", 2000)
    monkeypatch.setattr(module, "FILES", 2)
    audit = Audit(tmp_path)
    for n in range(200):
        audit.write("submitted", job=str(n))
    audit.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.log", "audit.log.1", "audit.log.2"]
    assert all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())
    assert lines(audit)[-1]["job"] == "199"


def test_a_log_that_cannot_be_written_stops_nobody(audit, caplog, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit._file, "shouldRollover", full)
    audit.write("submitted", job="1")
    assert "cannot be written" in caplog.text


def test_log_lines_and_tracebacks_hide_tokens():
    formatter = DiscreetFormatter(Discreet([TOKEN]))
    try:
        raise KeyError(TOKEN)
    except KeyError as error:
        record = logging.LogRecord("n", logging.ERROR, "f", 1, "got %s", (TOKEN,), (KeyError, error, error.__traceback__))
    text = formatter.format(record)
    assert "Traceback" in text
    assert TOKEN not in text


def test_the_longer_token_is_hidden_whole():
    assert Discreet(["token-0123456789", "token-0123456789-long"])("a token-0123456789-long b") == "a *** b"
    assert Discreet()("plain") == "plain"
