import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { openBoard } from './board';
import { readObject } from './objects';
import { colleagues, readPresence } from './presence';

const room = (isWritable = true) => {
  const doc = new Y.Doc();
  return { doc, board: openBoard({ doc, awareness: null, isWritable }) };
};
const zone = { kind: 'zone', x: 0, y: 0, width: 300, height: 200, name: 'Build', color: 'blue', policy: null } as const;

describe('reading objects', () => {
  it.each([
    [7, 'it is not an object'],
    [null, 'it is not an object'],
    [{ kind: 'teapot' }, 'its kind “teapot” is not known here'],
    [{ kind: 'constructor' }, 'its kind “constructor” is not known here'],
    [{ x: 1 }, 'it has no kind'],
    [{ ...zone, x: Number.NaN }, 'its x is not a number'],
    [{ ...zone, y: 1e12 }, 'its y is out of range'],
    [{ ...zone, width: '300' }, 'its width is not a number'],
    [{ ...zone, name: { html: '<b>' } }, 'its name is not text'],
    [{ kind: 'card', x: 1, y: 1 }, 'its worktree is not text'],
  ])('leaves out %j and says why', (raw, why) => {
    expect(readObject(raw)).toBe(why);
  });

  it('takes a colour that is none as no colour', () => {
    expect(readObject({ ...zone, color: 'url(javascript:alert(1))' })).toMatchObject({ color: '' });
  });
});

describe('the board document', () => {
  it('counts what it cannot read, and shows the rest', () => {
    const { doc, board } = room();

    doc.transact(() => {
      const objects = doc.getMap('objects');
      objects.set('ob_good', new Y.Map(Object.entries(zone)));
      objects.set('ob_plain', { ...zone, name: 'Plain' });
      objects.set('ob_bad', new Y.Map(Object.entries({ kind: 'note', x: Infinity, y: 0 })));
      objects.set('ob_text', new Y.Text('what'));
    });

    expect([...board.getView().objects.keys()].sort()).toEqual(['ob_good', 'ob_plain']);
    expect(
      board
        .getView()
        .problems.map(problem => problem.objectId)
        .sort(),
    ).toEqual(['ob_bad', 'ob_text']);
  });

  it('stops at ten thousand objects and says so', () => {
    const { doc, board } = room();

    doc.transact(() => {
      for (let i = 0; i < 10_020; i++) doc.getMap('objects').set(`ob_${i}`, { ...zone, x: i });
    });

    expect(board.getView().objects.size).toBe(10_000);
    expect(board.getView().problems.at(-1)?.text).toContain('20 are not shown');
  });

  it('keeps the identity of what did not change', () => {
    const { board } = room();
    const a = board.add(zone);
    const b = board.add({ ...zone, x: 500 });
    const before = board.getView().objects.get(a);

    board.change({ [b]: { x: 600 } });

    expect(board.getView().objects.get(a)).toBe(before);
    expect(board.getView().objects.get(b)).toMatchObject({ x: 600 });
  });

  it('writes a change of many things in one transaction, and undoes only its own', () => {
    const { doc, board } = room();
    const a = board.add(zone);
    const b = board.add({ ...zone, x: 500 });
    let writes = 0;
    doc.on('update', () => writes++);

    board.change({ [a]: { x: 10 }, [b]: { x: 510 } });
    doc.getMap<Y.Map<unknown>>('objects').get(a)?.set('name', 'By another');
    board.undo();

    expect(writes).toBe(3);
    expect(board.getView().objects.get(a)).toMatchObject({ x: 0, name: 'By another' });
    expect(board.getView().objects.get(b)).toMatchObject({ x: 500 });
    expect(board.canRedo).toBe(true);
  });

  it('is not written by a viewer', () => {
    const { doc, board } = room(false);

    board.add(zone);
    board.setTitle('mine');

    expect(doc.getMap('objects').size).toBe(0);
    expect(board.canUndo).toBe(false);
  });

  it('ignores a change of something that is gone', () => {
    const { board } = room();

    board.change({ ob_gone: { x: 1 } });

    expect(board.getView().objects.size).toBe(0);
  });
});

describe('presence', () => {
  it('takes nothing on trust', () => {
    expect(readPresence('hello')).toBe(null);
    expect(readPresence({ user: { name: 7 } })).toBe(null);

    const seen = readPresence({
      user: { username: 'bob', name: 'Bob Hill', color: 'red;background:url(x)' },
      cursor: { x: 'a', y: 1 },
      selection: [1, 'ob_1'],
      held: { ob_1: { x: 1, y: 2 }, ob_2: { x: NaN, y: 1 } },
    });

    expect(seen).toMatchObject({ cursor: null, selection: ['ob_1'], held: { ob_1: { x: 1, y: 2 } }, user: { initials: 'BH' } });
    expect(seen?.user.color).toMatch(/^var\(--jp-collaborator-color[1-7]\)$/);
  });

  it('leaves out oneself', () => {
    const states = new Map<number, Record<string, unknown>>([
      [1, { user: { name: 'Me' } }],
      [2, { user: { name: 'Mira' } }],
    ]);
    const awareness = {
      clientID: 1,
      getStates: () => states,
      getLocalState: () => null,
      setLocalStateField: () => undefined,
      on: () => undefined,
      off: () => undefined,
    };

    expect([...colleagues(awareness).keys()]).toEqual([2]);
  });
});
