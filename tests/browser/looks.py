"""How things look: themes, what stands out from its background, what sticks out of its room."""

import re
from collections.abc import Iterator
from typing import Any

from harness import set_theme
from playwright.sync_api import Locator, expect

ENOUGH = 4.5  # contrast of body text, WCAG AA
GRAPHICS = 3  # of what is no text: WCAG 1.4.11
THEMES = {"dark": "JupyterLab Dark", "light": "JupyterLab Light"}

TEXTS = """root => [...root.querySelectorAll("*")]
  .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
  .filter((node) => node.getClientRects().length > 0 && !node.closest(":disabled, option, .announcer, title"))
  .map((node) => {
    const styles = [];
    for (let at = node; at && at !== root.parentElement; at = at.parentElement) styles.push(getComputedStyle(at));
    const cell = node.matches(".prediction") ? getComputedStyle(node.parentNode.querySelector(".cell")).fill : null;
    const shade = node.matches(".target") ? getComputedStyle(node.parentNode.querySelector(".shade")).fill : null;
    const grounds = [cell, shade, ...styles.map((style) => style.backgroundColor)];
    return {
      what: `${node.tagName} ${node.getAttribute("class") ?? ""}: ${node.textContent.slice(0, 30)}`,
      color: node.namespaceURI.endsWith("svg") ? styles[0].fill : styles[0].color,
      ground: grounds.find((ground) => ground && ground !== "rgba(0, 0, 0, 0)") ?? null,
      opacity: styles.reduce((product, style) => product * Number(style.opacity), 1),
    };
  })"""
OUTLIERS = """root => {
  const frame = root.getBoundingClientRect();
  return [...root.querySelectorAll("*")]
    .filter((node) => !node.closest("defs, .announcer, .tooltip") && node.checkVisibility())
    .filter((node) => {
      const { left, right, width, height } = node.getBoundingClientRect();
      return width > 0 && height > 0 && (left < frame.left - 0.5 || right > frame.right + 0.5);
    })
    .map((node) => `${node.tagName} ${node.getAttribute("class") ?? ""}: ${node.textContent.slice(0, 40)}`);
}"""


def each_theme(root: Locator) -> Iterator[str]:
    """Switch JupyterLab to one theme after the other, until a widget wears it; last to the light one."""
    for theme, name in THEMES.items():
        set_theme(root.page, name)
        expect(root).to_have_attribute("data-theme", theme)
        yield theme


def assert_fits(root: Locator, about: object = "") -> None:
    """Nothing sticks out of a widget, and nothing of it has to be scrolled to."""
    outliers = root.evaluate(OUTLIERS)
    assert not outliers, f"{about}: {outliers}"
    assert root.evaluate("root => root.scrollWidth <= root.clientWidth"), about


def weak_texts(root: Locator) -> list[tuple[str, float]]:
    """Return texts that do not stand out enough from what is behind them, with their contrast."""
    found: list[dict[str, Any]] = root.evaluate(TEXTS)
    assert len(found) > 100
    ratios = [(text, contrast(text["color"], text["ground"])) for text in found]
    return [(text["what"], ratio) for text, ratio in ratios if ratio < ENOUGH or text["opacity"] < 1]


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two computed colours, as WCAG defines it."""
    light = sorted(map(luminance, (first, second)))
    return (light[1] + 0.05) / (light[0] + 0.05)


def luminance(color: str) -> float:
    """Relative luminance of a computed colour, as WCAG defines it."""
    assert color.startswith("rgb("), f"{color} lets through what lies behind"
    channels = [int(part) / 255 for part in re.findall(r"\d+", color)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
