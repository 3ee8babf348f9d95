from __future__ import annotations

import sys

import pytest

from napari_lightbox.errors import AccessError, ParameterError, ReadError
from napari_lightbox.server.auth import Doorkeeper, Tokens, choose_tokens, neighbourhood, read_tokens
from napari_lightbox.server.config import Limits
from napari_lightbox.server.faults import AttemptsError

TOKENS = {"alice": "alice-0123456789abcdef", "bob": "bob-0123456789abcdefgh"}


def header(token):
    return [b"Bearer " + token.encode()]


class Guesser:
    """A door with a clock that stands still until it is told."""

    def __init__(self, **limits):
        self.time = 0.0
        self.door = Doorkeeper(Tokens(TOKENS), Limits(**limits), lambda: self.time)

    def tries(self, token, address="10.0.0.1"):
        try:
            return self.door.let_in(header(token), address)
        except AccessError:
            return "wrong"
        except AttemptsError:
            return "wait"


def test_names_behind_tokens():
    tokens = Tokens(TOKENS)
    assert {name: tokens.owner_of(token.encode()) for name, token in TOKENS.items()} == {"alice": "alice", "bob": "bob"}
    for wrong in (b"", b"alice", TOKENS["alice"].encode() + b"x", TOKENS["alice"][:-1].encode(), b"\xff" * 22):
        assert tokens.owner_of(wrong) is None


def test_every_token_is_compared_whatever_is_given(monkeypatch):
    import hmac

    seen = []
    real = hmac.compare_digest
    monkeypatch.setattr("napari_lightbox.server.auth.hmac.compare_digest", lambda a, b: seen.append(len(b)) or real(a, b))
    for token in (*TOKENS.values(), "wrong", "w" * 500):
        Tokens(TOKENS).owner_of(token.encode())
    assert seen == [32] * 8


def test_guesses_run_out_and_come_back():
    guesser = Guesser(attempts=3, attempt_seconds=30.0)
    assert [guesser.tries("x" * 20) for _ in range(5)] == ["wrong"] * 3 + ["wait"] * 2
    assert guesser.tries(TOKENS["alice"]) == "wait"
    assert guesser.tries(TOKENS["alice"], "10.0.0.2") == "alice"
    guesser.time = 31.0
    assert guesser.tries(TOKENS["alice"]) == "alice"
    assert [guesser.tries("x" * 20) for _ in range(4)] == ["wrong"] * 3 + ["wait"]


def test_who_was_there_before_the_guesses_stays():
    guesser = Guesser(attempts=2)
    assert guesser.tries(TOKENS["alice"]) == "alice"
    assert [guesser.tries("x" * 20) for _ in range(3)] == ["wrong", "wrong", "wait"]
    assert guesser.tries(TOKENS["alice"]) == "alice"
    assert guesser.tries(TOKENS["bob"]) == "wait"


def test_what_is_remembered_is_bounded():
    guesser = Guesser()
    for n in range(6000):
        guesser.tries("x" * 20, f"10.1.{n // 250}.{n % 250}")
        guesser.tries(TOKENS["bob"], f"10.2.{n // 250}.{n % 250}")
    assert len(guesser.door._wrong) <= 4096
    assert len(guesser.door._guests) <= 4096


def test_one_network_of_six_is_one_address():
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1")
    assert neighbourhood("2001:db8::1") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("10.0.0.1") != neighbourhood("10.0.0.2")
    assert neighbourhood("") == ""


@pytest.mark.parametrize("headers", [[], [b"Bearer"], [b"Bearer "], [b"Basic YQ=="], [b"Bearer a", b"Bearer a"]])
def test_a_request_without_one_token_is_no_guess(headers):
    guesser = Guesser(attempts=1)
    for _ in range(3):
        with pytest.raises(AccessError):
            guesser.door.let_in(headers, "10.0.0.1")
    assert guesser.tries(TOKENS["bob"]) == "bob"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tokens"

    def write(text, mode=0o600):
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    return write


def test_a_file_of_tokens(file):
    text = f"# who\nalice {TOKENS['alice']}\n\n  bob\t{TOKENS['bob']}\n"
    assert read_tokens(file(text)) == TOKENS
    assert read_tokens(file(TOKENS["bob"] + "\n")) == {"admin": TOKENS["bob"]}


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX")
@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused(file, mode):
    with pytest.raises(ReadError, match="chmod 600"):
        read_tokens(file(f"alice {TOKENS['alice']}\n", mode))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice short",
        f"alice {TOKENS['alice']} more",
        f"alice {TOKENS['alice']}\nalice {TOKENS['bob']}",
        f"alice {TOKENS['alice']}\nbob {TOKENS['alice']}",
        f"a/b {TOKENS['alice']}",
        "alice tökén-0123456789abcdef",
        f"{'n' * 65} {TOKENS['alice']}",
    ],
)
def test_a_file_that_cannot_be_is_refused_without_its_tokens(file, text):
    with pytest.raises(ParameterError) as caught:
        read_tokens(file(text))
    for word in text.split():
        assert len(word) < 16 or word not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\0"])
def test_a_file_that_is_none(tmp_path, content):
    path = tmp_path / "tokens"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(ReadError, match="cannot be read"):
        read_tokens(path)


def test_where_tokens_come_from(file, monkeypatch):
    monkeypatch.delenv("LIGHTBOX_TOKEN", raising=False)
    (first, is_new), (second, _) = choose_tokens(None), choose_tokens(None)
    assert is_new
    assert first["admin"] != second["admin"]
    assert len(first["admin"]) >= 43
    monkeypatch.setenv("LIGHTBOX_TOKEN", TOKENS["bob"])
    assert choose_tokens(None) == ({"admin": TOKENS["bob"]}, False)
    assert choose_tokens(file(f"alice {TOKENS['alice']}")) == ({"alice": TOKENS["alice"]}, False)
