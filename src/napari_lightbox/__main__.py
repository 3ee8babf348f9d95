"""Run the command line with ``python -m napari_lightbox``."""

from napari_lightbox.cli.app import main

if __name__ == "__main__":
    raise SystemExit(main())
