/** Draws text that would not be seen: white space, control characters, lone combining marks. */

const PICTURES: Record<string, string> = { " ": "␣", "\n": "↵", "\t": "⇥", "\u00a0": "⍽", "\u007f": "␡" };
const INVISIBLE = /[\p{Z}\p{C}]/u;

/** What to draw for a character that has no ink, or null if it has some. */
export function pictureOf(character: string): string | null {
  const picture = PICTURES[character];
  if (picture) return picture;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (INVISIBLE.test(character)) return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return null;
}

/** A label with every character visible. */
export function visible(label: string): string {
  if (label === "") return "∅";
  const text = Array.from(label, (character) => pictureOf(character) ?? character).join("");
  return /^\p{M}/u.test(text) ? `◌${text}` : text;
}

/** The beginning of a text, with an ellipsis, in at most `limit` characters (marks belong to the one before). */
export function ellipsis(text: string, limit: number): string {
  const characters = text.match(/\P{M}\p{M}*/gu) ?? [];
  if (characters.length <= limit) return text;
  return limit <= 1 ? "…" : `${characters.slice(0, limit - 1).join("")}…`;
}
