"""A bar chart as SVG text, readable on light and on dark pages."""

from dataclasses import dataclass
from html import escape

WIDTH, LABELS, NUMBERS = 720, 170, 70  # of the picture, of the names left, of the values right
BAR, GAP, GROUP_GAP, HEAD, MARGIN = 11, 2, 9, 30, 12

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 14px; font-weight: 600 }
.value, .key { font-size: 11px; fill: #59636e }
.axis { stroke: #d1d9e0 }
.ours { fill: #0969da } .peer { fill: #8c959f } .limit { fill: #bf8700 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .value, .key { fill: #9198a1 } .axis { stroke: #3d444d }
  .ours { fill: #4493f8 } .peer { fill: #7d8590 } .limit { fill: #d29922 }
}
"""


@dataclass
class Group:
    """Bars of one contender."""
    name: str
    kind: str  # ours, peer, limit
    values: dict  # by number of threads, or of whatever a group's bars are


@dataclass
class Panel:
    title: str
    groups: list
    unit: str = "seconds per epoch"


def opacity(index, count):
    """The first bar of a group is pale, the last one full."""
    return 0.55 + 0.45 * index / (count - 1) if count > 1 else 1


def text(x, y, content, css="", anchor="start"):
    css = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{css} text-anchor="{anchor}">{escape(content)}</text>'


def rect(x, y, width, css, opaque, title=""):
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{BAR}" rx="1.5" class="{css}" '
            f'fill-opacity="{opaque:g}"><title>{escape(title)}</title></rect>')


def group_height(bars):
    return len(bars) * (BAR + GAP) + GROUP_GAP


def panel_height(panel, bars):
    return HEAD + len(panel.groups) * group_height(bars) + MARGIN


def draw_group(group, top, bars, scale):
    height = len(bars) * (BAR + GAP)
    yield text(LABELS - 8, top + height / 2 + 3, group.name, anchor="end")
    for i, bar in enumerate(bars):
        if bar not in group.values:
            continue
        value, y = group.values[bar], top + i * (BAR + GAP)
        title = f"{group.name}, {bars[bar]}: {value:.2f}"
        yield rect(LABELS, y, value * scale, group.kind, opacity(i, len(bars)), title)
        yield text(LABELS + value * scale + 5, y + BAR - 2, f"{value:.2f}", "value")


def draw_panel(panel, top, bars):
    longest = max(value for group in panel.groups for value in group.values.values())
    scale = (WIDTH - LABELS - NUMBERS) / longest
    yield text(LABELS, top + 18, f"{panel.title}: {panel.unit}, shorter is better", "title")
    y = top + HEAD
    bottom = y + len(panel.groups) * group_height(bars) - GROUP_GAP
    yield f'<line x1="{LABELS}" y1="{y - 3}" x2="{LABELS}" y2="{bottom + 3}" class="axis"/>'
    for group in panel.groups:
        yield from draw_group(group, y, bars, scale)
        y += group_height(bars)


def draw_key(top, bars):
    x = LABELS
    for i, label in enumerate(bars.values()):
        yield rect(x, top, 22, "peer", opacity(i, len(bars)))
        yield text(x + 28, top + BAR - 1, label, "key")
        x += 40 + 7 * len(label)


def svg(panels, bars):
    """bars: what a group's bars are, with a label of each."""
    height = sum(panel_height(panel, bars) for panel in panels) + 2 * MARGIN + BAR
    parts, top = [], MARGIN / 2
    for panel in panels:
        parts.extend(draw_panel(panel, top, bars))
        top += panel_height(panel, bars)
    parts.extend(draw_key(top, bars))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" role="img">\n<style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n")
