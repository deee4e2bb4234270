import { describe, expect, it } from 'vitest';

import { onPinch } from './pinch';

const gesture = (name: string, scale = 1): Event =>
  Object.assign(new Event(name, { bubbles: true, cancelable: true }), { scale, clientX: 40, clientY: 30 });

function play(scales: readonly number[], isTouched = false) {
  const root = document.createElement('div');
  const zooms: number[] = [];
  const undo = onPinch(
    root,
    (_, factor) => zooms.push(factor),
    () => isTouched,
  );
  const events = [gesture('gesturestart'), ...scales.map(scale => gesture('gesturechange', scale)), gesture('gestureend', scales.at(-1))];
  for (const event of events) root.dispatchEvent(event);
  return { root, zooms, undo, events };
}

describe('a pinch in WebKit', () => {
  it('zooms by what was added since the last event, and never the page', () => {
    const { zooms, events } = play([1.25, 1.5, 0.75]);

    expect(zooms.map(one => Number(one.toFixed(3)))).toEqual([1.25, 1.2, 0.5]);
    expect(events.every(event => event.defaultPrevented)).toBe(true);
  });

  it('begins anew with the next one', () => {
    const { root, zooms } = play([2]);

    root.dispatchEvent(gesture('gesturestart'));
    root.dispatchEvent(gesture('gesturechange', 1.5));

    expect(zooms).toEqual([2, 1.5]);
  });

  it('leaves fingers on a screen to their pointers, and odd scales alone', () => {
    expect(play([2], true).zooms).toEqual([]);
    expect(play([0, Number.NaN, -1]).zooms).toEqual([]);
  });

  it('ends with its undo', () => {
    const { root, zooms, undo } = play([]);

    undo();
    root.dispatchEvent(gesture('gesturechange', 2));

    expect(zooms).toEqual([]);
  });
});
