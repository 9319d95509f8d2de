import { describe, expect, it } from "vitest";
import { formatCount, formatNumber, formatPercent, formatTick } from "../src/words/format";
import { sentence } from "../src/words/tooltip_content";
import { ellipsis, visible } from "../src/words/visible_text";

describe("visible", () => {
  it.each([
    [" ", "␣"],
    ["\n", "↵"],
    ["\t", "⇥"],
    ["\r", "␍"],
    ["\u0000", "␀"],
    ["\u001b", "␛"],
    ["\u007f", "␡"],
    ["\u00a0", "⍽"],
    ["\u200b", "U+200B"],
    ["\u0085", "U+0085"],
    ["\u0301", "◌\u0301"],
    ["e\u0301", "e\u0301"],
    ["", "∅"],
    ["<script>&", "<script>&"],
    ["two words", "two␣words"],
    ["😀", "😀"],
  ])("draws %j as %s", (label, drawn) => {
    expect(visible(label)).toBe(drawn);
  });
});

describe("ellipsis", () => {
  it.each([
    ["word", 4, "word"],
    ["words", 4, "wor…"],
    ["words", 1, "…"],
    ["e\u0301e\u0301", 2, "e\u0301e\u0301"],
    ["😀😀😀", 2, "😀…"],
  ])("cuts %s to %i: %s", (text, limit, cut) => {
    expect(ellipsis(text, limit)).toBe(cut);
  });
});

describe("numbers", () => {
  it.each([
    [0, "0"],
    [0.0123456, "0.01235"],
    [-5.6784, "−5.678"],
    [12345.678, "12,350"],
    [1.2344e-7, "1.234×10⁻⁷"],
    [-3e12, "−3.000×10¹²"],
    [Number.NaN, "not a number"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("%f is %s in four digits", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it.each([
    [0, "0"],
    [0.02, "0.02"],
    [-1.5, "−1.5"],
    [20000, "20,000"],
    [2e-4, "2×10⁻⁴"],
    [1e-5, "10⁻⁵"],
    [0.1 + 0.2, "0.3"],
  ])("%f is %s on an axis", (value, text) => {
    expect(formatTick(value)).toBe(text);
  });

  it.each([
    [1, "100 %"],
    [0.1234, "12.3 %"],
    [-0.0045, "0.45 %"],
    [0.00001, "< 0.01 %"],
    [0, "0.00 %"],
  ])("%f is %s", (part, text) => {
    expect(formatPercent(part)).toBe(text);
  });

  it("groups counts", () => {
    expect(formatCount(1234567)).toBe("1,234,567");
  });
});

it("a tooltip is read aloud as a sentence", () => {
  expect(sentence({ title: "Step 3: right", rows: [["loss", "0.100 nats"]] })).toBe("Step 3: right. loss: 0.100 nats.");
});
