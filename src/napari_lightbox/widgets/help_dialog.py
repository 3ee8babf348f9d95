"""The full docstring of a technique as a window."""

from __future__ import annotations

import re
from html import escape

from qtpy.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from napari_lightbox.contract import Technique
from napari_lightbox.widgets.families import family
from napari_lightbox.widgets.form import readable

_SECTIONS = ("Returns", "Raises", "Notes", "References")


def help_html(technique: Technique) -> str:
    """Return the documentation of a technique as HTML."""
    doc = technique.documentation
    parts = [f"<h2>{escape(technique.title)}</h2>", f"<p><i>{escape(family(technique.family).title)}</i></p>"]
    parts += [f"<p>{_text(doc.summary)}</p>", *(f"<p>{_text(p)}</p>" for p in doc.description.split("\n\n") if p)]
    names = [*(i.name for i in technique.inputs), *(p.name for p in technique.parameters)]
    rows = [f"<dt><b>{escape(readable(n))}</b></dt><dd>{_text(doc.parameters[n])}</dd>" for n in names if doc.parameters.get(n)]
    parts.append(f"<h3>Inputs and parameters</h3><dl>{''.join(rows)}</dl>")
    parts += [f"<h3>{s}</h3>{_section(doc.sections[s])}" for s in _SECTIONS if s in doc.sections]
    if technique.synonyms:
        parts.append(f"<p>Also known as: {escape(', '.join(technique.synonyms))}.</p>")
    return "".join(parts)


def help_dialog(technique: Technique, parent: QWidget) -> QDialog:
    """Return a window with the documentation, not yet shown."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(technique.title)
    dialog.resize(560, 620)
    browser = QTextBrowser()
    browser.setOpenExternalLinks(True)
    browser.setHtml(help_html(technique))
    QVBoxLayout(dialog).addWidget(browser)
    return dialog


def _section(text: str) -> str:
    """Return terms with their indented descriptions as a list, anything else as paragraphs."""
    if any(line.startswith(" ") for line in text.splitlines()):
        entries = re.split(r"\n(?=\S)", text)
        rows = (entry.partition("\n") for entry in entries)
        return f"<dl>{''.join(f'<dt><b>{_text(term)}</b></dt><dd>{_text(body)}</dd>' for term, _, body in rows)}</dl>"
    return "".join(f"<p>{_text(paragraph)}</p>" for paragraph in text.split("\n\n"))


def _text(text: str) -> str:
    linked = re.sub(r"(https?://[^\s<>)]+[^\s<>).,;])", r'<a href="\1">\1</a>', escape(" ".join(text.split())))
    return re.sub(r"``(.+?)``", r"<code>\1</code>", linked)
