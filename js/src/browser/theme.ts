/** Follows the page's theme: JupyterLab's, VS Code's, marimo's, else the system's. */

export type Theme = "light" | "dark";

const DARK_SYSTEM = "(prefers-color-scheme: dark)";

function currentTheme(): Theme {
  const { body } = document;
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter) return jupyter === "false" ? "dark" : "light";
  if (body.matches(".vscode-dark, .vscode-high-contrast:not(.vscode-high-contrast-light)")) return "dark";
  if (body.matches(".vscode-light, .vscode-high-contrast-light")) return "light";
  const { theme: marimo } = body.dataset;
  if (marimo === "light" || marimo === "dark") return marimo;
  return matchMedia(DARK_SYSTEM).matches ? "dark" : "light";
}

/** Calls back with the theme, now and on every change, until the signal aborts. */
export function followTheme(signal: AbortSignal, apply: (theme: Theme) => void) {
  const update = () => apply(currentTheme());
  const observer = new MutationObserver(update);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["class", "data-jp-theme-light", "data-theme"],
  });
  signal.addEventListener("abort", () => observer.disconnect());
  matchMedia(DARK_SYSTEM).addEventListener("change", update, { signal });
  update();
}
