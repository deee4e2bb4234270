import { expect, test } from 'vitest';

import type { Note } from '../../protocol/generated';
import type { ViewContext } from '../types';
import { note, toggleLine } from './note';

const drawn = (text: string): HTMLElement =>
  note.draw(
    'ob_1',
    { kind: 'note', text, x: 0, y: 0, width: 100, height: 100, color: '' } as Note,
    { detail: 'full', isWritable: true } as ViewContext,
  );

test('what is bold, slanted, struck or code is so in lines, points and things to do', () => {
  for (const lead of ['', '# ', '- ', '1. ', '- [ ] ', '  - ']) {
    const of = drawn(`${lead}a **b c** *d* ~~e~~ \`f*g*\``);

    expect([
      lead,
      of.querySelector('strong')?.textContent,
      of.querySelector('em')?.textContent,
      of.querySelector('del')?.textContent,
      of.querySelector('code')?.textContent,
    ]).toEqual([lead, 'b c', 'd', 'e', 'f*g*']);
    expect(of.textContent).not.toContain('**');
  }
});

test('names and sums are not taken for emphasis, and nothing is markup', () => {
  const of = drawn('a_b_c, 2 * 3 * 4, **kwargs\n<b>x</b> **<img src=x>**');

  expect(of.querySelector('em, img, b')).toBeNull();
  expect(of.textContent).toContain('a_b_c, 2 * 3 * 4, **kwargs');
});

test('points stand in as they are written, and numbers are kept', () => {
  const [first, second, third] = drawn('- a\n  - b\n3. c').querySelectorAll('li');

  expect(first?.getAttribute('style')).toBeNull();
  expect(second?.getAttribute('style')).toContain('--agor-in: 1');
  expect(third?.textContent).toBe('3.c');
});

test('a thing to do that stands in is ticked too', () => {
  expect(toggleLine('- a\n  - [ ] b', 1)).toBe('- a\n  - [x] b');
});
