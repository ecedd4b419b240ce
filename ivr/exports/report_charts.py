"""The charts of the report page, as inline SVG. Each is hidden from screen readers: the table below it has its numbers.

Decides shapes only. Own figures are filled; those of all participants are a paler bar below or a dark tick, so that
they differ without colour too.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape

SHADES = ("#0b5d4b", "#6fb59c", "#e0a458", "#b23a48", "#c9c8c0")
"""From very satisfied to very dissatisfied, and no opinion; told apart in grey as well."""
_OWN, _ALL, _INK = "#0b5d4b", "#1c2420", "#55605a"

Percent = Decimal | None


def bar(own: Percent, everyone: Percent, width: int = 220) -> str:
    """A bar of a percentage with a tick where all participants stand."""
    parts = [f'<rect width="{width}" height="14" y="2" fill="#eeede7"/>']
    if own is not None:
        parts.append(f'<rect width="{_at(own, width)}" height="14" y="2" fill="{_OWN}"/>')
    if everyone is not None:
        x = _at(everyone, width)
        parts.append(f'<path d="M{x} 0v18" stroke="#fff" stroke-width="5"/><path d="M{x} 0v18" stroke="{_ALL}" ')
        parts.append('stroke-width="2.5"/>')
    return _svg(width, 18, parts)


def stacked(parts: Sequence[Percent], everyone: Sequence[Percent], width: int = 420) -> str:
    """Two bars of 100 %: one's own, and below it, thinner, that of all participants."""
    drawn = _stack(parts, 0, 16, width, with_numbers=True)
    if any(one for one in everyone):
        drawn += _stack(everyone, 18, 6, width, with_numbers=False)
    return _svg(width, 25, drawn)


def columns(names: Sequence[str], own: Sequence[Percent], everyone: Sequence[Percent]) -> str:
    """Upright columns, one per name, with a tick for all participants."""
    step, height = 52, 150
    top = max([Decimal(10), *[one for one in (*own, *everyone) if one is not None]])
    drawn = [f'<path d="M0 {height}.5h{step * len(names)}" stroke="{_INK}"/>']
    for place, (name, mine, theirs) in enumerate(zip(names, own, everyone, strict=True)):
        x = place * step
        if mine is not None:
            tall = float(mine / top) * (height - 22)
            drawn.append(f'<rect x="{x + 9}" y="{height - tall:.1f}" width="34" height="{tall:.1f}" fill="{_OWN}"/>')
            tall = max(tall, float((theirs or Decimal(0)) / top) * (height - 22))
            drawn.append(_word(x + 26, height - tall - 6, f"{mine:f}%" if mine else ""))
        if theirs is not None:
            y = height - float(theirs / top) * (height - 22)
            drawn.append(f'<path d="M{x + 4} {y:.1f}h44" stroke="#fff" stroke-width="5"/>')
            drawn.append(f'<path d="M{x + 4} {y:.1f}h44" stroke="{_ALL}" stroke-width="2.5"/>')
        drawn.append(_word(x + 26, height + 17, name))
    return _svg(step * len(names), height + 24, drawn)


def scale(own: Decimal | None, everyone: Decimal | None, lowest: int, highest: int) -> str:
    """A mean on its scale, with a tick for all participants."""

    def share(value: Decimal | None) -> Decimal | None:
        if value is None or highest <= lowest:
            return None
        return min(Decimal(100), 100 * (value - lowest) / (highest - lowest))

    return bar(share(own), share(everyone))


def _stack(parts: Sequence[Percent], y: int, height: int, width: int, *, with_numbers: bool) -> list[str]:
    total = sum((one for one in parts if one is not None), Decimal(0)) or Decimal(1)
    drawn: list[str] = []
    x = 0.0
    for one, shade in zip(parts, SHADES, strict=False):
        if not one:
            continue
        wide = float(one / total) * width
        drawn.append(f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{height}" fill="{shade}"/>')
        if with_numbers and wide > 26:
            ink = "#fff" if shade in (SHADES[0], SHADES[3]) else "#1c2420"
            drawn.append(_word(x + wide / 2, y + height - 4, f"{one:f}%", ink))
        x += wide
    return drawn


def _word(x: float, y: float, text: str, ink: str = "#1c2420") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{ink}" text-anchor="middle">{escape(text)}</text>'


def _at(percent: Decimal, width: int) -> str:
    return f"{float(percent) * width / 100:.1f}"


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true" '
        f'focusable="false">{"".join(parts)}</svg>'
    )
