/** What a person typed into a setting's field means. */

import type { SettingValue } from "../protocol/contract";

/** Undefined if it means nothing. */
export function settingValue(typed: string): SettingValue | undefined {
  const text = typed.trim().toLowerCase();
  if (text === "" || text === "all") return null;
  if (text === "auto") return "auto";
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
