import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { guardComposition } from './composition.js';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
afterEach(() => document.body.replaceChildren());

const press = (element: Element, how: KeyboardEventInit): void => {
  const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...how });
  if (how.keyCode !== undefined) Object.defineProperty(event, 'keyCode', { value: how.keyCode });
  element.dispatchEvent(event);
};

describe('a word that is being composed', () => {
  const cases: readonly [string, KeyboardEventInit, number][] = [
    ['Enter confirms it', { isComposing: true }, 0],
    ['Enter confirms it in Safari, after the composition ended', { isComposing: false, keyCode: 229 }, 0],
    ['Escape takes it back', { key: 'Escape', isComposing: true }, 0],
    ['an arrow chooses it', { key: 'ArrowDown', isComposing: true }, 0],
    ['Enter after it is Enter', { isComposing: false, keyCode: 13 }, 1],
  ];
  it.each(cases)('%s', async (_, how, heard) => {
    const place = document.body.appendChild(document.createElement('div'));
    guardComposition(place);
    const ofReact = vi.fn();
    const root = createRoot(place);
    await act(async () => root.render(<input onKeyDown={ofReact} />));
    const field = place.querySelector('input') as HTMLInputElement;
    const plain = vi.fn();
    field.addEventListener('keydown', plain);

    press(field, how);

    expect(ofReact).toHaveBeenCalledTimes(heard);
    expect(plain).toHaveBeenCalledTimes(heard);
    await act(async () => root.unmount());
  });

  it('is left alone once the guard is taken away', () => {
    const place = document.body.appendChild(document.createElement('div'));
    const heard = vi.fn();
    guardComposition(place)();
    place.addEventListener('keydown', heard);

    press(place, { isComposing: true });

    expect(heard).toHaveBeenCalledTimes(1);
  });
});
