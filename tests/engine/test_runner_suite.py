"""The local runner passes the suite for runners."""

from __future__ import annotations

import pytest

from napari_lightbox.engine.local import LocalRunner
from napari_lightbox.testing import RunnerSuite


class TestLocalRunner(RunnerSuite):
    @pytest.fixture
    def runner(self):
        runner = LocalRunner()
        yield runner
        runner.close()
