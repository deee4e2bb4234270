// Lines of a diff, from git's patch or from the two texts that a tool gave. The package `diff` reads and compares.
import { parsePatch as parse, type StructuredPatch, type StructuredPatchHunk, structuredPatch } from 'diff';

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

const CONTEXT = 3;
/** Beyond this many changed lines the text is shown as replaced as a whole. */
const MAX_EDITS = 2000;

/** One entry per file of a patch as git writes it. Of one that was cut off, what there is. */
export function parsePatch(text: string): FileDiff[] {
  const [, ...sections] = `\n${text}`.split('\ndiff --git ');
  return sections.map(rest => {
    const section = `diff --git ${rest}`;
    const titles = section.split('\n').flatMap(line => /^@@ -\S+ \+\S+ @@ ?(.*)$/.exec(line)?.slice(1) ?? []);
    const patch = read(section) ?? read(counted(section));
    return toFile(pathOf(patch, section), patch?.hunks ?? [], titles, patch?.isBinary || section.includes('\nGIT binary patch\n'));
  });
}

/** `null` if its lines are not as many as it says. */
function read(section: string): StructuredPatch | null {
  try {
    return parse(section)[0] ?? null;
  } catch {
    return null;
  }
}

/** With the numbers of lines that its last hunk really has. */
function counted(section: string): string {
  const at = section.lastIndexOf('\n@@ ') + 1;
  const [head = '', ...lines] = section.slice(at).replace(/\n$/, '').split('\n');
  const count = (others: string) => lines.filter(line => !line.startsWith('\\') && !line.startsWith(others)).length;
  const numbers = head.replace(/^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/, `@@ -$1,${count('+')} +$2,${count('-')} @@`);
  return `${section.slice(0, at)}${[numbers, ...lines].join('\n')}\n`;
}

function pathOf(patch: StructuredPatch | null, section: string): string {
  const names = [patch?.newFileName, patch?.oldFileName, section.split('\n', 1)[0]?.slice('diff --git '.length)];
  return (names.find(name => name && name !== '/dev/null') ?? '').replace(/^[ab]\//, '');
}

/** The difference of two texts. Whether they end with a line break makes none. */
export function compare(path: string, oldText: string | null, newText: string): FileDiff {
  const [a, b] = [oldText ?? '', newText].map(text => (text && !text.endsWith('\n') ? `${text}\n` : text)) as [string, string];
  const patch = structuredPatch(path, path, a, b, '', '', { context: CONTEXT, maxEditLength: MAX_EDITS });
  return toFile(path, patch ? patch.hunks : [replaced(a, b)], [], false);
}

function replaced(a: string, b: string): StructuredPatchHunk {
  const [before, after] = [a, b].map(text => text.split('\n').slice(0, -1)) as [string[], string[]];
  const lines = [...before.map(line => `-${line}`), ...after.map(line => `+${line}`)];
  return { oldStart: 1, oldLines: before.length, newStart: 1, newLines: after.length, lines };
}

function toFile(path: string, hunks: readonly StructuredPatchHunk[], titles: readonly string[], isBinary: boolean): FileDiff {
  const count = (sign: string) => hunks.reduce((sum, { lines }) => sum + lines.filter(line => line.startsWith(sign)).length, 0);
  return { path, added: count('+'), deleted: count('-'), isBinary, hunks: hunks.map((hunk, index) => toHunk(hunk, titles[index])) };
}

function toHunk(hunk: StructuredPatchHunk, title = ''): Hunk {
  let before = hunk.oldStart;
  let after = hunk.newStart;
  const lines = hunk.lines.flatMap((line): DiffLine[] => {
    const text = line.slice(1);
    if (line.startsWith('\\')) return [];
    if (line.startsWith('+')) return [{ kind: 'added', before: null, after: after++, text }];
    if (line.startsWith('-')) return [{ kind: 'deleted', before: before++, after: null, text }];
    return [{ kind: 'same', before: before++, after: after++, text }];
  });
  const place = `Lines ${hunk.newStart} to ${hunk.newStart + Math.max(hunk.newLines - 1, 0)}`;
  return { title: title ? `${place}, ${title}` : place, lines };
}
