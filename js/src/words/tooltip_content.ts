/** What a tooltip says, and the same as a sentence, for screen readers. */

export interface TooltipContent {
  title: string;
  rows: [label: string, value: string][];
}

export const sentence = ({ title, rows }: TooltipContent) =>
  `${title}. ${rows.map(([label, value]) => `${label}: ${value}`).join("; ")}.`;
