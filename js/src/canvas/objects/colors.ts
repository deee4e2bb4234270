// The colours a zone or a note may have: those of the theme's people, by a plain name, or any #rrggbb.

export const palette = ['orange', 'yellow', 'green', 'teal', 'blue', 'purple', 'pink'] as const;

const index = new Map<string, number>(palette.map((name, i) => [name, i + 1]));

/** A CSS colour, or `null` for none and for names we do not know. */
export const cssColor = (color: string): string | null => {
  if (/^#[0-9a-fA-F]{6}$/.test(color)) return color;
  const i = index.get(color);
  return i === undefined ? null : `var(--jp-collaborator-color${i})`;
};
