/** Indices of formulas, as characters: they are drawn, read aloud and copied like other text. */

const DIGITS = "₀₁₂₃₄₅₆₇₈₉";

/** 12 → ₁₂, −1 → ₋₁ */
export const subscript = (index: number) =>
  (index < 0 ? "₋" : "") + Array.from(String(Math.abs(index)), (digit) => DIGITS[Number(digit)]).join("");
