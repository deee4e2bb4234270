// Lines of a diff, from git's patch or from the two texts that a tool gave.
export interface DiffLine {
  readonly kind: 'same' | 'added' | 'deleted';
  readonly before: number | null;
  readonly after: number | null;
  readonly text: string;
}
export interface Hunk {
  readonly title: string;
  readonly lines: readonly DiffLine[];
}
export interface FileDiff {
  readonly path: string;
  readonly added: number;
  readonly deleted: number;
  readonly isBinary: boolean;
  readonly hunks: readonly Hunk[];
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/;

/** One entry per file of a patch as git writes it. */
export function parsePatch(text: string): FileDiff[] {
  const files: { path: string; added: number; deleted: number; isBinary: boolean; hunks: { title: string; lines: DiffLine[] }[] }[] = [];
  let before = 0;
  let after = 0;
  let oldLeft = 0;
  let newLeft = 0;
  for (const line of text.split('\n')) {
    const file = files.at(-1);
    const hunk = file?.hunks.at(-1);
    if (file && hunk && (oldLeft > 0 || newLeft > 0) && !line.startsWith('\\')) {
      const sign = line[0] ?? ' ';
      if (sign === '+') {
        hunk.lines.push({ kind: 'added', before: null, after: after++, text: line.slice(1) });
        file.added += 1;
        newLeft -= 1;
      } else if (sign === '-') {
        hunk.lines.push({ kind: 'deleted', before: before++, after: null, text: line.slice(1) });
        file.deleted += 1;
        oldLeft -= 1;
      } else {
        hunk.lines.push({ kind: 'same', before: before++, after: after++, text: line.slice(1) });
        oldLeft -= 1;
        newLeft -= 1;
      }
      continue;
    }
    if (line.startsWith('diff --git ')) files.push({ path: pathOf(line), added: 0, deleted: 0, isBinary: false, hunks: [] });
    else if (!file) continue;
    else if (line.startsWith('+++ ') && line !== '+++ /dev/null') file.path = unquote(line.slice(4)).replace(/^b\//, '');
    else if (line.startsWith('--- ') && line !== '--- /dev/null') file.path = unquote(line.slice(4)).replace(/^a\//, '');
    else if (line.startsWith('Binary files') || line.startsWith('GIT binary patch')) file.isBinary = true;
    else {
      const match = HUNK.exec(line);
      if (!match) continue;
      before = Number(match[1]);
      after = Number(match[3]);
      oldLeft = Number(match[2] ?? 1);
      newLeft = Number(match[4] ?? 1);
      const end = after + Math.max(newLeft - 1, 0);
      file.hunks.push({ title: match[5] ? `Lines ${after} to ${end}, ${match[5]}` : `Lines ${after} to ${end}`, lines: [] });
    }
  }
  return files;
}

const pathOf = (line: string): string => {
  const at = line.lastIndexOf(' b/');
  return at > 0 ? line.slice(at + 3) : line.slice('diff --git '.length);
};
const unquote = (path: string): string => (path.startsWith('"') ? path.slice(1, -1).replace(/\\(["\\])/g, '$1') : (path.split('\t')[0] ?? path));

const CONTEXT = 3;
/** Beyond this many compared lines the middle is shown as replaced as a whole. */
const MAX_CELLS = 1_000_000;

/** The difference of two texts, by the longest common subsequence of what is between their common ends. */
export function compare(path: string, oldText: string | null, newText: string): FileDiff {
  const a = oldText === null || oldText === '' ? [] : oldText.replace(/\n$/, '').split('\n');
  const b = newText === '' ? [] : newText.replace(/\n$/, '').split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let tail = 0;
  while (tail < a.length - start && tail < b.length - start && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;

  const lines: DiffLine[] = [];
  const same = (i: number, j: number) => lines.push({ kind: 'same', before: i + 1, after: j + 1, text: a[i] ?? '' });
  for (let i = 0; i < start; i += 1) same(i, i);
  middle(a.slice(start, a.length - tail), b.slice(start, b.length - tail), start, lines);
  for (let i = tail; i > 0; i -= 1) same(a.length - i, b.length - i);

  return {
    path,
    added: lines.filter(line => line.kind === 'added').length,
    deleted: lines.filter(line => line.kind === 'deleted').length,
    isBinary: false,
    hunks: toHunks(lines),
  };
}

function middle(a: string[], b: string[], offset: number, lines: DiffLine[]): void {
  const del = (i: number) => lines.push({ kind: 'deleted', before: offset + i + 1, after: null, text: a[i] ?? '' });
  const add = (j: number) => lines.push({ kind: 'added', before: null, after: offset + j + 1, text: b[j] ?? '' });
  if (a.length * b.length > MAX_CELLS) {
    for (const i of a.keys()) del(i);
    for (const j of b.keys()) add(j);
    return;
  }
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] =
        a[i] === b[j] ? (table[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
    }
  }
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', before: offset + i + 1, after: offset + j + 1, text: a[i] ?? '' });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && (table[(i + 1) * width + j] ?? 0) >= (table[i * width + j + 1] ?? 0))) del(i++);
    else add(j++);
  }
}

function toHunks(lines: readonly DiffLine[]): Hunk[] {
  const hunks: Hunk[] = [];
  let from = -1;
  let last = -1;
  const flush = () => {
    if (from < 0) return;
    const part = lines.slice(Math.max(0, from - CONTEXT), last + CONTEXT + 1);
    const numbers = part.map(line => line.after ?? line.before ?? 0);
    hunks.push({ title: `Lines ${Math.min(...numbers)} to ${Math.max(...numbers)}`, lines: part });
  };
  lines.forEach((line, index) => {
    if (line.kind === 'same') return;
    if (from < 0 || index - last > CONTEXT * 2) {
      flush();
      from = index;
    }
    last = index;
  });
  flush();
  return hunks;
}
