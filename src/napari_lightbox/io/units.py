"""Names of units: short inside, spelled out where a file format wants it."""

from __future__ import annotations

_LONG = {
    "m": "meter", "cm": "centimeter", "mm": "millimeter", "um": "micrometer", "nm": "nanometer", "pm": "picometer",
    "s": "second", "ms": "millisecond", "us": "microsecond", "ns": "nanosecond", "min": "minute", "h": "hour", "d": "day",
    "in": "inch", "ft": "foot", "Å": "angstrom",
}  # fmt: skip
_SHORT = {name: short for short, name in _LONG.items()} | {
    "micron": "um", "microns": "um", "µm": "um", "μm": "um", "\\u00B5m": "um", "sec": "s", "msec": "ms", "inch": "in",
    "px": "pixel", "pixels": "pixel", "": "pixel", "reference frame": "pixel", "angstrom": "Å",
}  # fmt: skip
_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "pm": 1e-12, "Å": 1e-10, "in": 0.0254, "ft": 0.3048}


def short(name: str | None) -> str:
    """Return the short name of a unit, ``"pixel"`` when there is none."""
    text = (name or "").strip()
    return _SHORT.get(text, _SHORT.get(text.lower(), text))


def spelled(unit: str) -> str | None:
    """Return the full name of a unit as OME and UDUNITS write it; None for pixels."""
    return None if unit == "pixel" else _LONG.get(unit, unit)


def metres(unit: str) -> float | None:
    """Return the length of one `unit` in metres; None when it is not a length."""
    return _METRES.get(unit)
