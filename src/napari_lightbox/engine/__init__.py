"""Runs a technique lazily: binding, blocks, one lowering per locality, preview, progress and cancel."""
