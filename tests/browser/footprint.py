"""What a page and a kernel hold: bytes, nodes and listeners, after what nobody needs is gone."""

from dataclasses import dataclass

from harness import kernel_value
from playwright.sync_api import Page

# What nobody holds is given back first, as far as the allocator can.
RESIDENT = """[
  __import__("gc").collect(),
  __import__("ctypes").CDLL(None).malloc_trim(0),
  __import__("psutil").Process().memory_info().rss,
][-1]"""

FOCUS = """root => {
  const node = [...root.querySelectorAll("button, summary, select")].find((node) => node.getClientRects().length > 0);
  node?.focus({ preventScroll: true });
  return node !== undefined && document.activeElement === node;
}"""
UNFOCUS = "() => document.activeElement.blur()"
SIDEBAR = "() => window.jupyterapp.shell.leftCollapsed"


@dataclass(frozen=True)
class Footprint:
    """Bytes of the page's live objects with their buffers, of the kernel's process; nodes and listeners of the page."""

    page_bytes: int
    kernel_bytes: int
    nodes: int
    listeners: int


def have_jupyterlab_let_go(page: Page) -> None:
    """Press keys until JupyterLab holds no display that is gone.

    Of each cell's output it holds what had the focus when a key was pressed in it last, until the next key; and of
    every key what had the focus, until a shortcut is carried out. Elements hold all of the display that they were in.
    """
    for root in page.locator(".rnnbow").all():
        if root.evaluate(FOCUS):
            page.keyboard.press("Shift")
    page.evaluate(UNFOCUS)
    for _ in range(2):
        collapsed = page.evaluate(SIDEBAR)
        page.keyboard.press("Control+B")
        page.wait_for_function(f"before => ({SIDEBAR})() !== before", arg=collapsed)


def footprint(page: Page) -> Footprint:
    """Measure the page and the kernel of the open notebook."""
    devtools = page.context.new_cdp_session(page)
    try:
        for _ in range(2):  # what was freed may have held more
            devtools.send("HeapProfiler.collectGarbage")
        usage = devtools.send("Runtime.getHeapUsage")
        counters = devtools.send("Memory.getDOMCounters")
    finally:
        devtools.detach()
    return Footprint(
        page_bytes=int(usage["usedSize"] + usage["backingStorageSize"]),
        kernel_bytes=int(kernel_value(page, RESIDENT)),
        nodes=int(counters["nodes"]),
        listeners=int(counters["jsEventListeners"]),
    )
