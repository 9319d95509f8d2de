"""Runs axe-core, an npm package of the tests, on a part of a page."""

from harness import REPOSITORY
from playwright.sync_api import Locator, Page

AXE = REPOSITORY / "js" / "node_modules" / "axe-core" / "axe.min.js"
# Everything that WCAG asks for at levels A and AA, and nothing that a host decides, such as the page's language.
RUN = """async (root) => {
  const { violations, passes } = await axe.run(root, {
    runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  });
  if (passes.length < 10) throw new Error(`axe looked at ${passes.length} rules only`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${failureSummary} in ${html.slice(0, 200)}`));
}"""


def violations(page: Page, root: Locator) -> list[str]:
    """Return what axe finds wrong: its rule, what to do about it, and the element."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = root.evaluate(RUN)
    return found
