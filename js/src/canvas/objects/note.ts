// A note: free text. `# ` makes a heading, `- ` a point, `- [ ]` something to do, `**` bold. Never markup.
import type { Note } from '../../protocol/generated';
import { plain } from '../../store/plain';
import { texts } from '../../texts';
import { h, icon } from '../scene/dom';
import type { Box, ObjectView } from '../types';
import { cssColor } from './colors';

const TODO = /^\s*[-*] \[([ xX])\] ?(.*)$/;
const POINT = /^\s*([-*]|\d{1,3}[.)]) (.*)$/;
const HEAD = /^#{1,3} (.*)$/;
const INLINE =
  /`([^`\n]+)`|(https?:\/\/[^\s<>"]+)|\*\*(?=\S)([^\n]{1,1000}?)(?<=\S)\*\*|(?<![\w*_])([*_])(?=[^\s*_])([^*_\n]{1,500})(?<=\S)\4(?![\w*_])|~~(?=\S)([^~\n]{1,500})~~/g;

/** Text with `code`, http(s) links, and what is bold, slanted or struck. */
const inline = (text: string, depth = 0): (Node | string)[] => {
  const parts: (Node | string)[] = [];
  let rest = 0;
  for (const match of depth < 3 ? text.matchAll(INLINE) : []) {
    const [whole, code, address, bold, , slanted, struck] = match;
    parts.push(text.slice(rest, match.index));
    if (code !== undefined) parts.push(h('code', null, code));
    else if (address !== undefined)
      parts.push(h('a', { href: address, target: '_blank', rel: 'noopener noreferrer', tabindex: -1 }, address.replace(/^https?:\/\//, '')));
    else
      parts.push(h(bold !== undefined ? 'strong' : slanted !== undefined ? 'em' : 'del', null, inline(bold ?? slanted ?? struck ?? '', depth + 1)));
    rest = match.index + whole.length;
  }
  parts.push(text.slice(rest));
  return parts.filter(part => part !== '');
};

/** How far a point stands in, in steps of two columns. */
const stepsIn = (text: string): string | null => {
  const steps = Math.min(6, Math.floor((/^\s*/.exec(text)?.[0].replaceAll('\t', '    ').length ?? 0) / 2));
  return steps > 0 ? `--agor-in: ${steps}` : null;
};

const line = (text: string, index: number, isWritable: boolean): HTMLElement => {
  const todo = TODO.exec(text);
  if (todo) {
    const isDone = todo[1] !== ' ';
    return h(
      'li',
      { style: stepsIn(text) },
      h(
        'button',
        {
          type: 'button',
          class: `agor-st ${isDone ? 'agor-st-done' : ''}`,
          role: 'checkbox',
          'aria-checked': String(isDone),
          'aria-label': todo[2] ?? '',
          'data-act': isWritable ? 'check' : null,
          'data-line': index,
          tabindex: -1,
        },
        icon(isDone ? 'st-done' : 'st-idle', 14),
      ),
      h('span', { class: isDone ? 'agor-x' : '' }, inline(todo[2] ?? '')),
    );
  }
  const head = HEAD.exec(text);
  if (head) return h('h4', null, inline(head[1] ?? ''));
  const point = POINT.exec(text);
  if (point) {
    const sign = /\d/.test(point[1] ?? '') ? (point[1] ?? '') : '•';
    return h(
      'li',
      { style: stepsIn(text) },
      h('span', { class: 'agor-t3', 'aria-hidden': sign === '•' ? 'true' : null }, sign),
      h('span', null, inline(point[2] ?? '')),
    );
  }
  return text === '' ? h('p', { class: 'agor-gap-line' }) : h('p', null, inline(text));
};

/** The text with the check mark of one line turned over; the same text when that line has none. */
export const toggleLine = (text: string, index: number): string =>
  text
    .split('\n')
    .map((row, i) =>
      i === index ? row.replace(/^(\s*[-*] \[)([ xX])(\])/, (_, a: string, box: string, b: string) => `${a}${box === ' ' ? 'x' : ' '}${b}`) : row,
    )
    .join('\n');

const MOST_LINES = 200;

/** One that is pressed and not drawn. */
export const NOTE_SIZE = { width: 264, height: 120 };

export const newNote = (box: Box): Note => ({ kind: 'note', ...box, text: '', color: '' });

export const note: ObjectView<'note'> = {
  autoHeight: false,
  isContainer: false,
  isStacked: false,
  hasTip: false,
  canCopy: true,
  layoutHeight: object => object.height,
  color: object => object.color,
  edit: object => ({
    text: object.text,
    isLine: false,
    action: 'Write',
    label: 'Text of the note',
    placeholder: 'Write. “- [ ] ” makes a box to tick',
    limit: 20_000,
    change: (text, height) => (height === null ? { text } : { text, height }),
  }),
  open: (id, _object, host) => host.edit(id),
  check: (object, index) => ({ text: toggleLine(object.text, index) }),
  worktree: () => null,
  searchText: () => null,
  removal: () => 'delete',
  deleted: () => texts.keys.deleted.note,
  size: object => ({ width: object.width, height: object.height }),
  draw(_id, object, context) {
    const color = cssColor(object.color);
    const style = color ? `--nc: ${color}` : null;
    const name = note.name(object, context);
    if (context.detail === 'tile') return h('aside', { class: 'agor-note agor-far', style, 'aria-label': name, tabindex: -1 });
    return h(
      'aside',
      { class: `agor-note agor-${context.detail}`, style, 'aria-label': name, tabindex: -1 },
      object.text
        ? object.text
            .split('\n')
            .slice(0, MOST_LINES)
            .map((text, i) => line(text, i, context.isWritable))
        : h('p', { class: 'agor-t3' }, 'Empty note'),
    );
  },
  name: object => `Note: ${plain(object.text.split('\n')[0] ?? '').slice(0, 80) || 'empty'}`,
  summary: object => ({ mark: 'idle', title: plain(object.text.split('\n')[0] ?? '').slice(0, 80), fact: '' }),
  dot: () => 'note',
  isTicking: () => false,
};
