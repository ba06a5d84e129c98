"""Tables of rich and the numbers in them, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table


def plain_table(left: Sequence[str], right: Sequence[str]) -> Table:
    """Table with columns of text on the left and of numbers on the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def number(value: Any, sign: str = "") -> str:
    """Two decimals, a negative zero as zero."""
    return f"{round(float(value), 2) + 0.0:{sign}.2f}"
