// The lines of a log that are kept in the page, and where a word stands in them. Pure.

/** More than these are let go, the oldest first. */
export const MAX_LINES = 10_000;
const MAX_LENGTH = 4000;
const MAX_STYLE = 120;

// Colours and weight, and every other sequence.
const STYLES = /\u001b\[([0-9;:]*)m/g;
const SEQUENCES = /\u001b\[[0-9;:?<=>]*[ -/]*[@-~]|\u001b[\]P_^X][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?/g;

export interface LogLine {
  /** Counts from the first line that came. */
  readonly number: number;
  /** With its colours, those that go on from the line before too. */
  readonly text: string;
  readonly plain: string;
}

export interface Log {
  readonly lines: readonly LogLine[];
  /** The end, as long as its line has none. */
  readonly rest: string;
  /** Colours that go on. */
  readonly style: string;
  readonly count: number;
}

export const EMPTY: Log = { lines: [], rest: '', style: '', count: 0 };

export const plainOf = (text: string): string => (text.includes('\u001b') ? text.replace(SEQUENCES, '') : text);

/** The colours that hold after this text. */
const styleAfter = (style: string, text: string): string => {
  if (!text.includes('\u001b')) return style;
  let after = style;
  for (const [whole, codes = ''] of text.matchAll(STYLES)) after = codes === '' || codes === '0' ? '' : `${after}${whole}`;
  // A program that never resets them.
  return after.length > MAX_STYLE ? after.slice(after.lastIndexOf('\u001b')) : after;
};

export function append(log: Log, text: string): Log {
  const parts = (log.rest + text).split('\n');
  let rest = parts.pop() ?? '';
  // A line without an end does not grow for ever.
  if (rest.length > MAX_LENGTH) {
    parts.push(rest);
    rest = '';
  }
  let { style, count } = log;
  const fresh: LogLine[] = [];
  // Of what came at once only the last lines can stay.
  const from = Math.max(0, parts.length - MAX_LINES);
  for (const [at, part] of parts.entries()) {
    const line = part.length > MAX_LENGTH ? `${part.slice(0, MAX_LENGTH)}…` : part;
    if (at >= from) fresh.push({ number: count, text: style + line, plain: plainOf(line) });
    style = styleAfter(style, part);
    count += 1;
  }
  const kept = log.lines.slice(Math.max(0, log.lines.length + fresh.length - MAX_LINES));
  return { lines: [...kept, ...fresh], rest, style, count };
}

/** The places of the lines that contain it, by their place among those that are kept. */
export function find(lines: readonly LogLine[], query: string): number[] {
  const wanted = query.toLowerCase();
  return wanted ? lines.flatMap(({ plain }, at) => (plain.toLowerCase().includes(wanted) ? at : [])) : [];
}
