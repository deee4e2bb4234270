// A log in the page: bounded, with its colours, and searched as it is read.
import { expect, it } from 'vitest';

import { append, EMPTY, find, type Log, MAX_LINES } from './log';

const ESC = '\u001b';
const texts = ({ lines }: Log) => lines.map(({ text }) => text);

it('is the same however it is cut into parts', () => {
  const text = `one\n${ESC}[31mred\nstill red${ESC}[0m\nplain\nend`;
  const whole = append(EMPTY, text);
  for (let at = 0; at < text.length; at += 1) expect(append(append(EMPTY, text.slice(0, at)), text.slice(at))).toEqual(whole);
  expect(texts(whole)).toEqual(['one', `${ESC}[31mred`, `${ESC}[31mstill red${ESC}[0m`, 'plain']);
  expect(whole.rest).toBe('end');
});

it('keeps the last lines only, however many come, and goes on counting', () => {
  let log = EMPTY;
  for (let round = 0; round < 30; round += 1) log = append(log, Array.from({ length: 1000 }, (_, i) => `${round * 1000 + i}\n`).join(''));
  log = append(log, Array.from({ length: 25_000 }, (_, i) => `${30_000 + i}\n`).join(''));

  expect(log.lines).toHaveLength(MAX_LINES);
  expect(log.lines.at(-1)).toEqual({ number: 54_999, text: '54999', plain: '54999' });
  expect(log.lines[0]?.text).toBe(String(55_000 - MAX_LINES));
});

it('does not grow by a line without an end, nor by colours that never end', () => {
  let log = EMPTY;
  for (let round = 0; round < 200; round += 1) log = append(log, `${ESC}[3${round % 8}m${'x'.repeat(100)}`);
  log = append(log, '\n');
  for (let round = 0; round < 200; round += 1) log = append(log, `${ESC}[3${round % 8}mx\n`);

  expect(log.rest).toBe('');
  expect(Math.max(...texts(log).map(text => text.length))).toBeLessThan(4500);
  expect(log.style.length).toBeLessThan(200);
});

it('is searched without its colours, in either case', () => {
  const log = append(EMPTY, `a\n${ESC}[1mWARN${ESC}[0ming: x\nwarning: y\nb\n`);

  expect(find(log.lines, 'Warning')).toEqual([1, 2]);
  expect(find(log.lines, '')).toEqual([]);
  expect(find(log.lines, '[1m')).toEqual([]);
});
