import { expect, test } from 'vitest';

import { actionOf } from '../../canvas/input/keyboard.js';
import { dialogTexts } from '../../texts';
import { globalKeyOf } from './keys.js';

const press = (key: string, more: object = {}) => ({ key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

test.each([
  ['k', { ctrlKey: true }, false, 'commands'],
  ['k', { metaKey: true }, false, 'commands'],
  ['/', {}, false, 'filter'],
  ['?', { shiftKey: true }, false, 'keys'],
  ['g', {}, false, 'begin'],
  ['i', {}, true, 'inbox'],
  ['n', {}, true, 'next-need'],
  ['i', {}, false, null],
  ['n', {}, false, null],
  ['k', {}, false, null],
  ['g', { ctrlKey: true }, false, null],
])('%s with %o, after G: %s, is %s', (key, more, afterG, found) => {
  expect(globalKeyOf(press(key, more), afterG)).toBe(found);
});

test('no letter of the board is taken from it', () => {
  for (const letter of 'vhznwspde013'.split('')) expect([letter, globalKeyOf(press(letter), false)]).toEqual([letter, null]);
});

test('each single letter of the board in the help does something there', () => {
  const letters = dialogTexts.keys.list
    .filter(({ where, keys }) => (where === 'board' || where === 'card') && !/Ctrl|Shift/.test(keys))
    .flatMap(({ keys }) => keys.split(' ').filter(key => /^[A-Z0-9]$/.test(key)));

  expect(letters.length).toBeGreaterThan(8);
  for (const letter of letters) expect([letter, actionOf(press(letter.toLowerCase(), {}))]).not.toEqual([letter, null]);
});
