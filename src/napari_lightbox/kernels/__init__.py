"""Compiled and library kernels that several technique families share; NumPy in, NumPy out."""
