"""Which server, and what opens it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_lightbox.widgets.fold import Fold
from napari_lightbox.widgets.form import form_layout
from napari_lightbox.widgets.layer_choice import FileLine
from napari_lightbox.widgets.places import Server, clean_address

_TOKEN = "token="
_PRINTED = "<qt>What <b>lightbox serve</b> prints when it starts.</qt>"


@dataclass(frozen=True)
class Entry:
    """What the form says."""

    address: str
    token: str
    name: str
    certificate: str


class ServerForm(QWidget):  # type: ignore[misc]
    """Address, token and, folded away, a name and a certificate.

    Emits `turned` when another address is chosen, `asked` for a connection, `forgot` for the address to be forgotten.
    """

    turned = Signal()
    asked = Signal()
    forgot = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.address = QComboBox()
        self.address.setEditable(True)
        self.address.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.address.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.address.setMinimumContentsLength(12)
        self.address.lineEdit().setPlaceholderText("http://127.0.0.1:8000")
        self.address.setToolTip(_PRINTED)
        self.token = QLineEdit()
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setToolTip(_PRINTED)
        self.token_label = QLabel("Token")
        self.name = QLineEdit()
        self.name.setToolTip("<qt>What you call the server.</qt>")
        self.certificate = FileLine()
        self.certificate.setToolTip(
            "<qt>The authority that signed the server's certificate, when this system does not know it.</qt>"
        )
        self.connect_button, self.forget = QPushButton("Connect"), QPushButton("Forget")
        self.forget.setToolTip("<qt>Remove the server from the list, and its token from the keyring.</qt>")
        self._lay_out()
        self.address.activated.connect(lambda _: self.turned.emit())
        self.address.lineEdit().editingFinished.connect(self._take_token)
        self.address.lineEdit().textEdited.connect(lambda _: self.turned.emit())
        self.connect_button.clicked.connect(self._ask)
        self.token.returnPressed.connect(self._ask)
        self.address.lineEdit().returnPressed.connect(self._ask)
        self.forget.clicked.connect(self.forgot.emit)

    def entry(self) -> Entry:
        """Return what is entered."""
        self._take_token()
        texts = (self.address.currentText(), self.token.text(), self.name.text(), self.certificate.chosen() or "")
        return Entry(*(text.strip() for text in texts))

    def chosen(self) -> str:
        """Return the address in one spelling, empty when it is none."""
        return clean_address(self.address.currentText())

    def show_known(self, servers: Sequence[Server]) -> None:
        """List servers, and keep what is entered."""
        before = self.address.currentText()
        self.address.blockSignals(True)
        self.address.clear()
        self.address.addItems([server.address for server in servers])
        self.address.setEditText(before or (servers[0].address if servers else ""))
        self.address.blockSignals(False)

    def show_state(self, *, connected: bool, known: bool, name: str) -> None:
        """Show what makes sense for a server."""
        for widget in (self.token_label, self.token, self.details):
            widget.setVisible(not connected)
        self.forget.setVisible(known)
        self.token.setPlaceholderText("kept from before" if known else "as the server printed it")
        self.name.setPlaceholderText(name)

    def enable(self, on: bool) -> None:
        """Grey out while something is under way."""
        self.setEnabled(on)

    def taken(self, address: str) -> None:
        """Hear that the server let us in; its token is not shown any longer than needed."""
        self.address.setEditText(address)
        self.token.clear()
        self.name.clear()

    def _ask(self) -> None:
        if not self.details.isHidden():
            self.asked.emit()

    def _take_token(self) -> None:
        """Move a token that stands in the address to its own line, where it is not seen."""
        text, _, behind = self.address.currentText().partition("#")
        if behind.startswith(_TOKEN):
            self.address.setEditText(text)
            self.token.setText(unquote(behind.removeprefix(_TOKEN)))

    def _lay_out(self) -> None:
        rows, more = form_layout(), form_layout()
        rows.addRow(QLabel("Server"), self.address)
        rows.addRow(self.token_label, self.token)
        more.addRow(QLabel("Name"), self.name)
        more.addRow(QLabel("Certificate"), self.certificate)
        buttons = QHBoxLayout()
        buttons.addWidget(self.connect_button, 2)
        buttons.addWidget(self.forget, 1)
        self.details = QWidget()
        inner = QVBoxLayout(self.details)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(Fold("Advanced", more))
        inner.addLayout(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(rows)
        column.addWidget(self.details)
