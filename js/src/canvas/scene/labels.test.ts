import { describe, expect, it } from 'vitest';

import { LINE, labelsOf } from './labels';

const row = (names: readonly string[], pitch = 308, y = 0) =>
  names.map((name, i) => ({ id: name, text: name.length * 7, box: { x: i * pitch, y, width: 296, height: 560 } }));

describe('names of zones that are too small to hold them', () => {
  it('stand in one line with their counts where there is room', () => {
    const labels = labelsOf(row(['Backlog', 'Build', 'Review']), 0.4);

    expect([...labels.values()]).toMatchObject([
      { hasCount: true, level: 0 },
      { hasCount: true, level: 0 },
      { hasCount: true, level: 0 },
    ]);
  });

  it('leave the count out before they leave the line', () => {
    const labels = labelsOf(row(['Analyze', 'Develop', 'Review']), 0.24);

    expect(labels.get('Analyze')).toMatchObject({ hasCount: false, level: 0 });
    expect(labels.get('Review')).toMatchObject({ hasCount: true, level: 0 });
  });

  it('are all there at the least zoom, each on a line of its own', () => {
    const labels = labelsOf(row(['Backlog', 'Analyze', 'Develop', 'Review']), 0.05);

    expect([...labels.values()].map(label => label?.level)).toEqual([0, 1, 2, 3]);
  });

  it.each([0.05, 0.08, 0.13, 0.22, 0.3, 0.49])('never lie on each other at %d', zoom => {
    const names = Array.from({ length: 40 }, (_, i) => `Zone ${'n'.repeat((i * 7) % 30)}`);
    const zones = names.map((name, i) => ({
      id: `z${i}`,
      text: name.length * 7,
      box: { x: (i % 8) * 310, y: Math.floor(i / 8) * 600, width: 296, height: 560 },
    }));
    const labels = labelsOf(zones, zoom);

    const boxes = zones.flatMap(({ id, box }) => {
      const label = labels.get(id);
      return label
        ? [
            {
              left: box.x * zoom,
              right: box.x * zoom + label.width,
              top: box.y * zoom - LINE * (label.level + 1),
              bottom: box.y * zoom - LINE * label.level,
            },
          ]
        : [];
    });
    expect(boxes.length).toBeGreaterThan(7);
    for (const [i, a] of boxes.entries())
      for (const b of boxes.slice(i + 1)) expect(a.left < b.right && b.left < a.right && a.top < b.bottom - 1 && b.top < a.bottom - 1).toBe(false);
  });

  it('give up where there is none, and say so', () => {
    const labels = labelsOf(row(Array.from({ length: 12 }, (_, i) => `Quite a long name ${i}`)), 0.05);

    expect([...labels.values()].filter(label => label === null).length).toBeGreaterThan(0);
  });
});
