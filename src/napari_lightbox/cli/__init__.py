"""The `lightbox` command."""
