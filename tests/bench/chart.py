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
    seconds: dict  # by threads


@dataclass
class Panel:
    title: str
    groups: list


def opacity(index):
    """The first number of threads is pale, the last one full."""
    return 1 if index else 0.55


def text(x, y, content, css="", anchor="start"):
    css = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{css} text-anchor="{anchor}">{escape(content)}</text>'


def rect(x, y, width, css, index, title=""):
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{BAR}" rx="1.5" class="{css}" '
            f'fill-opacity="{opacity(index)}"><title>{escape(title)}</title></rect>')


def group_height(threads):
    return len(threads) * (BAR + GAP) + GROUP_GAP


def panel_height(panel, threads):
    return HEAD + len(panel.groups) * group_height(threads) + MARGIN


def draw_group(group, top, threads, scale):
    bars = len(threads) * (BAR + GAP)
    yield text(LABELS - 8, top + bars / 2 + 3, group.name, anchor="end")
    for i, count in enumerate(threads):
        if count not in group.seconds:
            continue
        seconds, y = group.seconds[count], top + i * (BAR + GAP)
        yield rect(LABELS, y, seconds * scale, group.kind, i, f"{group.name}, {count} threads: {seconds:.2f} s")
        yield text(LABELS + seconds * scale + 5, y + BAR - 2, f"{seconds:.2f}", "value")


def draw_panel(panel, top, threads):
    longest = max(seconds for group in panel.groups for seconds in group.seconds.values())
    scale = (WIDTH - LABELS - NUMBERS) / longest
    yield text(LABELS, top + 18, f"{panel.title}: seconds per epoch, shorter is better", "title")
    y = top + HEAD
    bottom = y + len(panel.groups) * group_height(threads) - GROUP_GAP
    yield f'<line x1="{LABELS}" y1="{y - 3}" x2="{LABELS}" y2="{bottom + 3}" class="axis"/>'
    for group in panel.groups:
        yield from draw_group(group, y, threads, scale)
        y += group_height(threads)


def draw_key(top, threads):
    x = LABELS
    for i, count in enumerate(threads):
        yield rect(x, top, 22, "peer", i)
        label = f"{count} thread{'s' * (count > 1)}"
        yield text(x + 28, top + BAR - 1, label, "key")
        x += 40 + 7 * len(label)


def svg(panels, threads):
    height = sum(panel_height(panel, threads) for panel in panels) + 2 * MARGIN + BAR
    parts, top = [], MARGIN / 2
    for panel in panels:
        parts.extend(draw_panel(panel, top, threads))
        top += panel_height(panel, threads)
    parts.extend(draw_key(top, threads))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" role="img">\n<style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n")
