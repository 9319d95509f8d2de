import { readFileSync } from "node:fs";
import { lab, rgb } from "d3-color";
import { describe, expect, it } from "vitest";
import type { Theme } from "../src/browser/theme";
import { heatColors } from "../src/geometry/heat_scale";
import { lagColors } from "../src/geometry/lag_colors";

const css = readFileSync(new URL("../src/styles/theme.css", import.meta.url), "utf8");

/** The custom properties of a theme, as the style sheet has them; what the dark one does not change is as in light. */
function palette(theme: Theme): Record<string, string> {
  const block = (selector: string) => css.slice(css.indexOf(selector)).split("}")[0];
  const read = (text: string) =>
    Object.fromEntries([...text.matchAll(/--([\w-]+): (#\w{6});/g)].map(([, n, v]) => [n, v]));
  return { ...read(block(".rnnbow {")), ...(theme === "dark" ? read(block('.rnnbow[data-theme="dark"] {')) : {}) };
}

/** Relative luminance, as WCAG defines it. */
function luminance(color: string): number {
  const { r, g, b } = rgb(color);
  const [red, green, blue] = [r, g, b].map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Colours as who cannot tell red from green sees them (Viénot, Brettel and Mollon 1999), in linear light. */
function asSeen(color: string, kind: "protan" | "deutan"): string {
  const { r, g, b } = rgb(color);
  const [R, G, B] = [r, g, b].map((channel) => (channel / 255) ** 2.2);
  const [first, second] = kind === "protan" ? [0.11238, 0.88762] : [0.29275, 0.70725];
  const mixed = first * R + second * G;
  const blue = kind === "protan" ? 0.00401 * R - 0.00401 * G + B : -0.02234 * R + 0.02234 * G + B;
  const channel = (value: number) => Math.round(255 * Math.max(0, Math.min(1, value)) ** (1 / 2.2));
  return `rgb(${channel(mixed)}, ${channel(mixed)}, ${channel(blue)})`;
}

function difference(a: string, b: string): number {
  const [first, second] = [lab(a), lab(b)];
  return Math.hypot(first.l - second.l, first.a - second.a, first.b - second.b);
}

const THEMES: Theme[] = ["light", "dark"];
const TEXT = 4.5;
/** What is no text but has to be seen: WCAG 1.4.11. */
const GRAPHICS = 3;

describe.each(THEMES)("palette: %s", (theme) => {
  const colors = palette(theme);
  const on = (ground: string) => (name: string) => [name, contrast(colors[name], colors[ground])] as const;

  it("has text that stands out", () => {
    const texts = ["text", "muted", "accent", "selected", "right", "wrong", "negative", "alarm", "line", "pointer"];
    for (const name of texts) expect(on("background")(name)[1], name).toBeGreaterThanOrEqual(TEXT);
    for (const name of ["text", "muted"]) expect(on("faint")(name)[1], name).toBeGreaterThanOrEqual(TEXT);
    for (const [name, ground] of [
      ["right", "right-tint"],
      ["wrong", "wrong-tint"],
      ["text", "alarm-tint"],
      ["alarm", "alarm-tint"],
      ["text", "shade"],
    ]) {
      expect(on(ground)(name)[1], `${name} on ${ground}`).toBeGreaterThanOrEqual(TEXT);
    }
  });

  it("has marks that are seen", () => {
    for (const name of ["bar", "peak", "hatch", "side-0", "side-1", "side-2", "side-3"]) {
      expect(on("background")(name)[1], name).toBeGreaterThanOrEqual(GRAPHICS);
    }
  });

  it.each([5, 10, 25])("has %d lags whose own loss stands out, and neighbours that differ in lightness", (lags) => {
    for (const earlier of [false, true]) {
      const shades = lagColors(lags, theme, earlier);
      expect(contrast(shades[0], colors.background)).toBeGreaterThanOrEqual(GRAPHICS);
      const faint = shades.filter((shade) => contrast(shade, colors.background) < GRAPHICS);
      if (faint.length > 0) expect(on("background")("outline")[1]).toBeGreaterThanOrEqual(GRAPHICS);
      const lightness = shades.map((shade) => lab(shade).l);
      for (let lag = 1; lag < lags; lag += 1) expect(lightness[lag], `lag ${lag}`).toBeGreaterThan(lightness[lag - 1]);
      // Lightness alone tells them apart, so whoever sees colours otherwise does too.
      expect(lightness[lags - 1] - lightness[0]).toBeGreaterThan(40);
    }
  });

  it.each(["protan", "deutan"] as const)("tells right from wrong, and sides from each other, for %s eyes", (kind) => {
    const seen = (name: string) => asSeen(colors[name], kind);
    expect(difference(seen("right-tint"), seen("wrong-tint"))).toBeGreaterThan(5);
    expect(difference(seen("right"), seen("wrong"))).toBeGreaterThan(20);
    const heat = heatColors(theme, true);
    expect(difference(asSeen(heat.positive(0.7), kind), asSeen(heat.negative(0.7), kind))).toBeGreaterThan(20);
  });
});
