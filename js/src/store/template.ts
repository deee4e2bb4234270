// Names in a template: what can be completed where the caret is, and which known name an unknown one is nearest to. Pure.

export interface Named {
  readonly name: string;
  readonly kind: string;
}

export interface Completion {
  /** Where the word begins that is being written. */
  readonly from: number;
  readonly to: number;
  readonly names: readonly Named[];
}

const MOST = 8;

/** The text between `{{` or `{%` and the caret; `null` outside of both. */
const inside = (text: string, caret: number): string | null => {
  const before = text.slice(0, caret);
  const opened = Math.max(before.lastIndexOf('{{'), before.lastIndexOf('{%'));
  const closed = Math.max(before.lastIndexOf('}}'), before.lastIndexOf('%}'));
  return opened >= 0 && opened >= closed ? before.slice(opened + 2) : null;
};

/** What could be meant at the caret; `null` where no name is being written. What begins with the word comes first. */
export const complete = (text: string, caret: number, names: readonly Named[]): Completion | null => {
  const written = inside(text, caret);
  if (written === null) return null;
  const word = /[\w.]*$/.exec(written)?.[0] ?? '';
  const low = word.toLowerCase();
  const found = names.filter(({ name }) => name.toLowerCase().includes(low) && name !== word);
  found.sort((a, b) => Number(b.name.toLowerCase().startsWith(low)) - Number(a.name.toLowerCase().startsWith(low)));
  return found.length ? { from: caret - word.length, to: caret, names: found.slice(0, MOST) } : null;
};

/** The text with a name in the place of the word, and where the caret is then. What was opened is closed. */
export const insert = (text: string, { from, to }: Completion, name: string): { readonly text: string; readonly caret: number } => {
  const rest = text.slice(to);
  const isOpen = !/^[^{]*?[}%]\}/.test(rest);
  const isValue = text.slice(0, from).lastIndexOf('{{') > text.slice(0, from).lastIndexOf('{%');
  const end = isOpen && isValue ? ' }}' : '';
  return { text: `${text.slice(0, from)}${name}${end}${rest}`, caret: from + name.length + end.length };
};

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length] ?? 0;
};

export interface Unknown {
  /** Where it stands. */
  readonly from: number;
  readonly to: number;
  readonly nearest: string | null;
}

/** The first name with a dot that is not known, and the known one that it is nearest to. */
export const unknownName = (text: string, names: readonly Named[]): Unknown | null => {
  const known = new Set(names.map(({ name }) => name));
  const maps = names.filter(({ kind }) => kind === 'map').map(({ name }) => `${name}.`);
  for (const block of text.matchAll(/\{[{%]([\s\S]*?)[}%]\}/g)) {
    for (const word of (block[1] ?? '').matchAll(/(?<![\w.'"])[a-z_]+(?:\.\w+)+/g)) {
      const name = word[0];
      if (known.has(name) || maps.some(map => name.startsWith(map))) continue;
      const near = [...known].map(one => [distance(name, one), one] as const).sort((a, b) => a[0] - b[0])[0];
      const from = (block.index ?? 0) + 2 + (word.index ?? 0);
      return { from, to: from + name.length, nearest: near && near[0] <= 4 ? near[1] : null };
    }
  }
  return null;
};

export interface Piece {
  readonly text: string;
  readonly kind: 'text' | 'value' | 'tag';
}

/** A template in pieces, to be coloured. */
export const pieces = (text: string): Piece[] =>
  text
    .split(/(\{\{[\s\S]*?(?:\}\}|$)|\{%[\s\S]*?(?:%\}|$))/)
    .filter(Boolean)
    .map(piece => ({ text: piece, kind: piece.startsWith('{{') ? 'value' : piece.startsWith('{%') ? 'tag' : 'text' }));
