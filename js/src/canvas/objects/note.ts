// A note: free text. `# ` makes a heading, `- ` a point, `- [ ]` something to do. Never markup.
import { h, icon } from '../dom';
import type { ObjectView } from '../types';
import { cssColor } from './colors';

const TODO = /^[-*] \[([ xX])\] ?(.*)$/;
const POINT = /^[-*] (.*)$/;
const HEAD = /^#{1,3} (.*)$/;

/** Text with `code` and http(s) links. */
const inline = (text: string): (Node | string)[] => {
  const parts: (Node | string)[] = [];
  let rest = 0;
  for (const match of text.matchAll(/`([^`\n]+)`|(https?:\/\/[^\s<>"]+)/g)) {
    parts.push(text.slice(rest, match.index));
    if (match[1] !== undefined) parts.push(h('code', null, match[1]));
    else if (match[2] !== undefined) parts.push(h('a', { href: match[2], target: '_blank', rel: 'noopener noreferrer', tabindex: -1 }, match[2].replace(/^https?:\/\//, '')));
    rest = match.index + match[0].length;
  }
  parts.push(text.slice(rest));
  return parts.filter(part => part !== '');
};

const line = (text: string, index: number, isWritable: boolean): HTMLElement => {
  const todo = TODO.exec(text);
  if (todo) {
    const isDone = todo[1] !== ' ';
    return h(
      'li',
      null,
      h(
        'button',
        { type: 'button', class: `agor-st ${isDone ? 'agor-st-done' : ''}`, role: 'checkbox', 'aria-checked': String(isDone), 'aria-label': todo[2] ?? '', 'data-act': isWritable ? 'check' : null, 'data-line': index, tabindex: -1 },
        icon(isDone ? 'st-done' : 'st-idle', 14),
      ),
      h('span', { class: isDone ? 'agor-x' : '' }, inline(todo[2] ?? '')),
    );
  }
  const head = HEAD.exec(text);
  if (head) return h('h4', null, inline(head[1] ?? ''));
  const point = POINT.exec(text);
  if (point) return h('li', null, h('span', { class: 'agor-t3', 'aria-hidden': 'true' }, '•'), h('span', null, inline(point[1] ?? '')));
  return text === '' ? h('p', { class: 'agor-gap-line' }) : h('p', null, inline(text));
};

/** The text with the check mark of one line turned over; the same text when that line has none. */
export const toggleLine = (text: string, index: number): string =>
  text
    .split('\n')
    .map((row, i) => (i === index ? row.replace(/^([-*] \[)([ xX])(\])/, (_, a: string, box: string, b: string) => `${a}${box === ' ' ? 'x' : ' '}${b}`) : row))
    .join('\n');

const MOST_LINES = 200;

export const note: ObjectView<'note'> = {
  isNatural: false,
  isGround: false,
  size: object => ({ width: object.width, height: object.height }),
  draw(_id, object, context) {
    const color = cssColor(object.color);
    const style = color ? `--nc: ${color}` : null;
    const name = note.name(object, context);
    if (context.detail === 'tile') return h('aside', { class: 'agor-note agor-far', style, 'aria-label': name, tabindex: -1 });
    return h(
      'aside',
      { class: `agor-note agor-${context.detail}`, style, 'aria-label': name, tabindex: -1 },
      object.text ? object.text.split('\n').slice(0, MOST_LINES).map((text, i) => line(text, i, context.isWritable)) : h('p', { class: 'agor-t3' }, 'Empty note'),
    );
  },
  name: object => `Note: ${object.text.split('\n')[0]?.replace(HEAD, '$1').slice(0, 80) || 'empty'}`,
  summary: object => ({ mark: 'idle', title: object.text.slice(0, 80), fact: '' }),
  dot: () => 'note',
  isTicking: () => false,
};
