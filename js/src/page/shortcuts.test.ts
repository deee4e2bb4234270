import { afterEach, expect, test } from 'vitest';

import { isTheirs, keepShortcuts } from './shortcuts.js';

afterEach(() => document.body.replaceChildren());

const key = (name: string, how: KeyboardEventInit = {}) => new KeyboardEvent('keydown', { key: name, bubbles: true, ...how });

test.each([
  ['s', { ctrlKey: true }, true],
  ['S', { ctrlKey: true, shiftKey: true }, true],
  ['b', { metaKey: true }, true],
  ['C', { ctrlKey: true, shiftKey: true }, true],
  ['c', { ctrlKey: true }, false],
  ['Z', { ctrlKey: true, shiftKey: true }, false],
  ['z', { ctrlKey: true }, false],
  ['d', { ctrlKey: true }, false],
  ['k', { ctrlKey: true }, false],
  ['d', {}, false],
  ['Enter', { ctrlKey: true }, false],
  ['Enter', { shiftKey: true }, false],
  ['ArrowUp', { altKey: true }, false],
])('%s with %o is theirs: %s', (name, how, expected) => {
  expect(isTheirs(key(name, how))).toBe(expected);
});

test('JupyterLab sees what is its own from any element of a board, and from a field only what saves', () => {
  const place = document.body.appendChild(document.createElement('div'));
  const button = place.appendChild(document.createElement('button'));
  const field = place.appendChild(document.createElement('textarea'));
  const seen: (string | null)[] = [];
  const stop = keepShortcuts(place);
  document.addEventListener('keydown', () => void seen.push(place.getAttribute('data-lm-suppress-shortcuts')), { capture: true, once: false });

  for (const [target, name] of [
    [button, 's'],
    [button, 'd'],
    [button, 'b'],
    [field, 'b'],
    [field, 's'],
  ] as const)
    target.dispatchEvent(key(name, { ctrlKey: true }));
  stop();

  expect(seen).toEqual([null, 'true', null, 'true', null]);
});
