// Each tool as a person uses it: press, move, lift; and one change of the document, or none.
import { afterEach, describe, expect, it, vi } from 'vitest';

import { bench } from '../../../dev/board';
import type { World } from '../../../dev/made-up';
import { tools } from './index';

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

const notes = (world: World): void => {
  world.zone('ob_zone', 'Build', 0, 0, 400, 400);
  world.note('ob_in', 'in', 40, 100, 200, 120);
  world.note('ob_out', 'out', 700, 100, 200, 120);
};

describe('select', () => {
  it('selects what is pressed, and with Shift one more', () => {
    const { press, stage } = bench(notes);
    const element = (id: string) => stage.scene.items.get(id)?.element ?? null;

    press([50, 110], undefined, { on: element('ob_in') });
    press([710, 110], undefined, { on: element('ob_out'), shiftKey: true });

    expect([...stage.selection]).toEqual(['ob_in', 'ob_out']);
  });

  it('moves in one step of undo', () => {
    const { board, press, stage } = bench(notes);

    press([710, 110], [810, 410], { on: stage.scene.items.get('ob_out')?.element ?? null, ctrlKey: true });
    expect(board.getView().objects.get('ob_out')).toMatchObject({ x: 800, y: 400 });
    board.undo();

    expect(board.getView().objects.get('ob_out')).toMatchObject({ x: 700, y: 100 });
  });

  it('carries with a zone what lies in it', () => {
    const { board, press, stage } = bench(notes);

    press([10, 10], [10, 510], { on: stage.scene.items.get('ob_zone')?.element ?? null, ctrlKey: true });

    expect(board.getView().objects.get('ob_zone')).toMatchObject({ y: 500 });
    expect(board.getView().objects.get('ob_in')).toMatchObject({ y: 600 });
    expect(board.getView().objects.get('ob_out')).toMatchObject({ y: 100 });
  });

  it('selects by a box what it touches, and a zone only when it holds all of it', () => {
    const { press, stage } = bench(notes);

    press([390, 50], [750, 390]);
    expect([...stage.selection]).toEqual(['ob_out']);
    press([950, 450], [-10, -10]);

    expect([...stage.selection].sort()).toEqual(['ob_in', 'ob_out', 'ob_zone']);
  });

  it('resizes by a handle', () => {
    const { board, local, press, stage } = bench(notes);
    local({ selection: new Set(['ob_out']) });

    press([900, 220], [1000, 320], { on: stage.root.querySelector('[data-handle="se"]') });

    expect(board.getView().objects.get('ob_out')).toMatchObject({ x: 700, y: 100, width: 300, height: 220 });
  });

  it('moves nothing on a board that is read only', () => {
    const { board, press, stage } = bench(notes, { isWritable: false });

    press([710, 110], [810, 410], { on: stage.scene.items.get('ob_out')?.element ?? null });

    expect(board.getView().objects.get('ob_out')).toMatchObject({ x: 700, y: 100 });
  });
});

describe('what makes something', () => {
  const made = (tool: 'zone' | 'note', to?: readonly [number, number]) => {
    const made = bench(notes);
    const before = new Set(made.board.getView().objects.keys());
    made.local({ tool });
    made.press([500, 500], to);
    return { ...made, objects: [...made.board.getView().objects].filter(([id]) => !before.has(id)) };
  };

  it('draws a zone, and begins with its name', () => {
    const { objects, stage } = made('zone', [900, 700]);

    expect(objects.map(([, object]) => object)).toEqual([
      { kind: 'zone', x: 500, y: 500, width: 400, height: 200, name: 'Zone', color: '', policy: null },
    ]);
    expect([...stage.selection]).toEqual(objects.map(([id]) => id));
    expect(stage.local.tool).toBe('select');
    expect(stage.root.querySelector('input.agor-edit')).not.toBeNull();
  });

  it('makes a note of the usual size by one press', () => {
    const { objects, stage } = made('note');

    expect(objects.map(([, object]) => object)).toEqual([{ kind: 'note', x: 500, y: 500, width: 264, height: 120, text: '', color: '' }]);
    expect(stage.root.querySelector('textarea.agor-edit')).not.toBeNull();
  });

  it('is no use to a viewer', () => {
    const { board, local, press } = bench(notes, { isWritable: false });

    local({ tool: 'note' });
    press([500, 500]);

    expect(board.getView().objects.size).toBe(3);
  });
});

describe('hand', () => {
  it('moves the board and nothing on it', () => {
    const { board, local, press, stage } = bench(notes);
    local({ tool: 'hand' });

    press([710, 110], [760, 130], { on: stage.scene.items.get('ob_out')?.element ?? null });

    expect(stage.camera).toEqual({ x: 50, y: 20, zoom: 1 });
    expect(board.getView().objects.get('ob_out')).toMatchObject({ x: 700, y: 100 });
  });
});

it('each tool has a key of its own', () => {
  const keys = Object.values(tools).map(tool => tool.key);

  expect(new Set(keys).size).toBe(keys.length);
});
