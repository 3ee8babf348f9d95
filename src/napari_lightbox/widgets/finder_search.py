"""Ranked search over names, synonyms, families and descriptions that forgives a wrong letter; no Qt."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Technique
from napari_lightbox.widgets.families import family

_WORD = re.compile(r"[^\W_]+")
_LITERAL, _PREFIX, _INSIDE, _TYPO = 1.0, 0.8, 0.45, 0.35
_TITLE, _SYNONYM, _FAMILY, _SUMMARY, _DESCRIPTION = 10.0, 8.0, 4.0, 3.0, 1.0
_WHOLE_NAME, _NAME_STARTS = 30.0, 12.0
_SHORTEST_INSIDE, _SHORTEST_TYPO, _TWO_TYPOS = 3, 3, 8


class Search:
    """An index over techniques; `rank` answers in a few milliseconds for hundreds of them."""

    def __init__(self, techniques: Sequence[Technique]) -> None:
        self._count = len(techniques)
        self._names = [[" ".join(_words(name)) for name in (t.title, t.id, *t.synonyms)] for t in techniques]
        found: dict[str, dict[int, float]] = {}
        for row, technique in enumerate(techniques):
            for text, weight in _fields(technique):
                for word in _words(text):
                    rows = found.setdefault(word, {})
                    rows[row] = max(rows.get(row, 0.0), weight)
        self._vocabulary = sorted(found)
        self._rows = [(np.fromiter(r, np.intp), np.fromiter(r.values(), float)) for r in map(found.__getitem__, self._vocabulary)]
        self._letters = np.array([_letters(word) for word in self._vocabulary], np.uint64)
        self._scores: dict[str, NDArray[np.float64]] = {}

    def rank(self, text: str) -> list[int]:
        """Return the techniques in which every word of `text` occurs, the best first; all of them for no words."""
        words = _words(text)
        if not words:
            return list(range(self._count))
        scores = np.array([self._score(word) for word in words])
        total = np.where((scores > 0).all(axis=0), scores.sum(axis=0), 0.0)
        phrase = " ".join(words)
        for row in np.flatnonzero(total):
            names = self._names[row]
            total[row] += _WHOLE_NAME if phrase in names else _NAME_STARTS if names[0].startswith(phrase) else 0.0
        order = np.argsort(-total, kind="stable")
        return [int(row) for row in order[: np.count_nonzero(total)]]

    def _score(self, word: str) -> NDArray[np.float64]:
        """Return how well each technique matches one word; wrong letters are forgiven when nothing matches as typed."""
        if word not in self._scores:
            if len(self._scores) > 500:
                self._scores.clear()
            score = self._matching(word, typos=False)
            if not score.any() and len(word) >= _SHORTEST_TYPO:
                score = self._matching(word, typos=True)
            self._scores[word] = score
        return self._scores[word]

    def _matching(self, word: str, *, typos: bool) -> NDArray[np.float64]:
        score = np.zeros(self._count)
        for place, quality in self._close(word) if typos else self._literal(word):
            rows, weights = self._rows[place]
            score[rows] = np.maximum(score[rows], weights * quality)
        return score

    def _literal(self, word: str) -> list[tuple[int, float]]:
        found = []
        for place, known in enumerate(self._vocabulary):
            if word not in known:
                continue
            if known == word:
                found.append((place, _LITERAL))
            elif known.startswith(word):
                found.append((place, _PREFIX))
            elif len(word) >= _SHORTEST_INSIDE:
                found.append((place, _INSIDE))
        return found

    def _close(self, word: str) -> list[tuple[int, float]]:
        allowed = 2 if len(word) >= _TWO_TYPOS else 1
        missing = np.bitwise_count(np.uint64(_letters(word)) & ~self._letters)
        found = []
        for place in np.flatnonzero(missing <= allowed):
            steps = wrong_letters(word, self._vocabulary[place], allowed)
            if steps <= allowed:
                found.append((int(place), _TYPO / steps if steps else _TYPO))
        return found


def wrong_letters(typed: str, word: str, most: int) -> int:
    """Return how many letters must change, go, come or swap until `typed` begins `word`; more than `most` is not told apart."""
    if len(word) < len(typed) - most:
        return most + 1
    word = word[: len(typed) + most]
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, a in enumerate(typed, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(word, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == word[j - 2] and typed[i - 2] == b:
                best = min(best, last[j - 2] + 1)
            row.append(best)
        if min(row) > most and min(before) > most:
            return most + 1
    return min(row)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("_", " "))


def _fields(technique: Technique) -> list[tuple[str, float]]:
    return [
        (technique.title, _TITLE),
        (technique.id, _TITLE),
        *((synonym, _SYNONYM) for synonym in technique.synonyms),
        (family(technique.family).title, _FAMILY),
        (technique.doc, _SUMMARY),
        (technique.documentation.description, _DESCRIPTION),
    ]


def _letters(word: str) -> int:
    """Return the set of letters and digits of a word as bits, so that far words are ruled out without looking at them."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) % 64)
    return bits
