// Every way in which a card comes into another zone tells the zone, once; and what a zone does by itself tells nobody.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { bench } from '../../../dev/board';
import { people, type World } from '../../../dev/made-up';
import { dialogTexts } from '../../texts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

let ids: string[] = [];

/** Two cards below a zone that acts and one that only holds; a note. */
const pipeline = (world: World): void => {
  world.zone('ob_build', 'Build', 0, 0, 320, 300, '', { prompt: 'Do it', agent: 'claude' });
  world.zone('ob_done', 'Done', 400, 0, 320, 300);
  ids = ['First', 'Second'].map((name, i) => {
    const id = world.worktree(name, name.toLowerCase(), people.eva);
    world.card(id, 20 + 340 * i, 400);
    return id;
  });
  world.note('ob_note', 'x', 800, 400, 200, 120);
};
const card = (i: number): string => `ob_${ids[i]}`;
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(2000);

const board = (options?: Parameters<typeof bench>[1]) => {
  const made = bench(pipeline, options);
  const element = (id: string) => made.stage.scene.items.get(id)?.element ?? null;
  return {
    ...made,
    drag: (id: string, from: readonly [number, number], to: readonly [number, number], more: PointerEventInit = {}) =>
      made.press(from, to, { on: element(id), ctrlKey: true, ...more }),
    drops: () => vi.mocked(made.commands.dropCard).mock.calls,
    place: (id: string) => {
      const { x, y } = made.board.getView().objects.get(id) ?? {};
      return [x, y];
    },
  };
};

describe('a card that is dragged into a zone', () => {
  it('is told to it with its place, and moves at once', async () => {
    const { drag, drops, place } = board();

    drag(card(0), [30, 410], [30, 110]);
    await settled();

    expect(place(card(0))).toEqual([20, 100]);
    expect(drops()).toEqual([[ids[0], { zoneId: 'ob_build', x: 20, y: 100, run: true }]]);
  });

  it('runs nothing with Alt', async () => {
    const { drag, drops } = board();

    drag(card(0), [30, 410], [30, 110], { altKey: true });
    await settled();

    expect(drops()[0]?.[1]).toMatchObject({ run: false });
  });

  it('is told nothing when it is moved in it', async () => {
    const { drag, drops } = board();
    drag(card(0), [30, 410], [30, 110]);
    await settled();

    drag(card(0), [30, 110], [50, 150]);
    await settled();

    expect(drops().length).toBe(1);
  });

  it('goes back when it is refused, and says why', async () => {
    const { commands, drag, place, stage } = board();
    vi.mocked(commands.dropCard).mockRejectedValue(new Error('Zone “Build” is gone.'));

    drag(card(0), [30, 410], [30, 110]);
    await settled();

    expect(place(card(0))).toEqual([20, 400]);
    expect(stage.pending.trouble(card(0))).toEqual({ title: 'Not moved', text: 'Zone “Build” is gone.' });
  });

  it('stays where somebody put it meanwhile, though it is refused', async () => {
    const { board: doc, commands, drag, place } = board();
    vi.mocked(commands.dropCard).mockImplementation(async () => {
      doc.change({ [card(0)]: { x: 900, y: 900 } });
      throw new Error('no');
    });

    drag(card(0), [30, 410], [30, 110]);
    await settled();

    expect(place(card(0))).toEqual([900, 900]);
  });

  it('leaves it by being dragged out', async () => {
    const { drag, drops } = board();
    drag(card(0), [30, 410], [30, 110]);
    drag(card(0), [30, 110], [30, 610]);
    await settled();

    expect(drops()[1]).toEqual([ids[0], { zoneId: null, x: 20, y: 600, run: true }]);
  });

  it('goes once for each of several, in reading order', async () => {
    const { drag, drops, local } = board();
    local({ selection: new Set([card(1), card(0)]) });

    // The second would lie outside: only where its middle is counts.
    drag(card(0), [30, 410], [30, 110]);
    await settled();

    expect(drops().map(([id, drop]) => [id, drop.zoneId])).toEqual([
      [ids[0], 'ob_build'],
      [ids[1], 'ob_done'],
    ]);
  });
});

describe('what a zone does', () => {
  it('tells nobody when it is moved with its cards, over another zone or away', async () => {
    const { drag, drops } = board();
    drag(card(0), [30, 410], [30, 110]);
    await settled();

    drag('ob_build', [300, 10], [300, 510]);
    drag('ob_build', [300, 510], [690, 40]);
    await settled();

    expect(drops().length).toBe(1);
  });

  it('tells nobody when it is drawn around a card, or resized over it', async () => {
    const { drops, local, press, stage } = board();
    local({ selection: new Set(['ob_build']) });

    press([320, 300], [320, 700], { on: stage.root.querySelector('[data-handle="se"]') });
    await settled();

    expect(stage.scene.layout.members().get('ob_build')).toEqual([card(0)]);
    expect(drops()).toEqual([]);
  });

  it('tells nobody when it is renamed, taken away or brought back', async () => {
    const { board: doc, drag, drops, key, local } = board();
    drag(card(0), [30, 410], [30, 110]);
    await settled();

    doc.change({ ob_build: { name: 'Make' } });
    local({ selection: new Set(['ob_build']) });
    key('Delete');
    key('z', { ctrlKey: true });
    await settled();

    expect(drops().length).toBe(1);
  });
});

describe('undo', () => {
  it('moves back and forth and runs nothing', async () => {
    const { drag, drops, key, place } = board();
    drag(card(0), [30, 410], [30, 110]);
    await settled();

    key('z', { ctrlKey: true });
    key('z', { ctrlKey: true, shiftKey: true });
    await settled();

    expect(place(card(0))).toEqual([20, 100]);
    expect(drops().slice(1)).toEqual([
      [ids[0], { zoneId: null, x: 20, y: 400, run: false }],
      [ids[0], { zoneId: 'ob_build', x: 20, y: 100, run: false }],
    ]);
  });
});

describe('arrows', () => {
  it('let go of a card when they rest, and tell its zone once', async () => {
    const { drops, key, local } = board();
    local({ selection: new Set([card(0)]) });

    for (let i = 0; i < 10; i++) key('ArrowUp', { shiftKey: true });
    expect(drops()).toEqual([]);
    await settled();

    expect(drops()).toEqual([[ids[0], { zoneId: 'ob_build', x: 20, y: 200, run: true }]]);
  });

  it('say before what would run, and Escape puts it back', async () => {
    const { drops, key, local, place, stage } = board();
    local({ selection: new Set([card(0)]) });

    for (let i = 0; i < 10; i++) key('ArrowUp', { shiftKey: true });
    expect(stage.root.querySelector('.agor-foretelling:not([hidden])')?.textContent).toContain('Claude, new session');
    key('Escape');
    await settled();

    expect(place(card(0))).toEqual([20, 400]);
    expect(drops()).toEqual([]);
  });

  it('pass through a zone without a word to it', async () => {
    const { drops, key, local } = board();
    local({ selection: new Set([card(0)]) });

    for (let i = 0; i < 40; i++) key('ArrowUp', { shiftKey: true });
    await settled();

    expect(drops()).toEqual([]);
  });
});

describe('a carry by keyboard', () => {
  it('goes to the zone that arrows choose, and drops there', async () => {
    const { drops, frame, key, stage } = board();
    stage.focus(card(0));

    key('m');
    key('ArrowUp');
    frame();
    key('ArrowRight');
    expect(stage.scene.items.get(card(0))?.held).toEqual({ x: 412, y: 54 });
    key('ArrowLeft');
    key('Enter');
    await settled();

    expect(drops()).toEqual([[ids[0], { zoneId: 'ob_build', x: 12, y: 54, run: true }]]);
    expect(stage.chrome.getState().hint).toContain('is in Build');
  });

  it('only moves with Alt Enter', async () => {
    const { drops, key, stage } = board();
    stage.focus(card(0));

    key('m');
    key('ArrowUp');
    key('Alt', { altKey: true });
    key('Enter', { altKey: true });
    await settled();

    expect(drops()[0]?.[1]).toMatchObject({ zoneId: 'ob_build', run: false });
  });

  it('is put back by Escape', async () => {
    const { drops, key, place, stage } = board();
    stage.focus(card(0));

    key('m');
    key('ArrowUp');
    key('Escape');
    await settled();

    expect(place(card(0))).toEqual([20, 400]);
    expect(stage.scene.items.get(card(0))?.held).toBeNull();
    expect(drops()).toEqual([]);
  });

  it('is nothing for a viewer', () => {
    const { key, stage } = board({ isWritable: false, role: 'viewer' });
    stage.focus(card(0));

    key('m');

    expect(stage.carry?.isUnderWay).toBe(false);
  });
});

describe('what is told before', () => {
  const hold = (made: ReturnType<typeof board>, to: readonly [number, number], altKey = false): string => {
    const at = ([clientX, clientY]: readonly [number, number]): PointerEventInit => ({
      clientX,
      clientY,
      pointerId: 1,
      bubbles: true,
      altKey,
      ctrlKey: true,
    });
    made.stage.scene.items.get(card(0))?.element?.dispatchEvent(new PointerEvent('pointerdown', at([30, 410])));
    window.dispatchEvent(new PointerEvent('pointermove', at(to)));
    const note = made.stage.root.querySelector('.agor-foretelling');
    return note?.hasAttribute('hidden') ? '' : (note?.textContent ?? '');
  };

  it('is the policy’s own words until the server says it better, which is asked once', async () => {
    const made = board();
    vi.mocked(made.commands.previewDrop).mockResolvedValue({
      zoneId: 'ob_build',
      starts: true,
      text: 'Starts Claude in a new session.',
      waits: '2 of 2 in work',
      prompt: 'Do it',
      problem: null,
      problemLine: null,
    });

    expect(hold(made, [30, 110])).toContain('Claude, new session');
    window.dispatchEvent(new PointerEvent('pointermove', { clientX: 40, clientY: 120, pointerId: 1 }));
    await settled();

    const text = made.stage.root.querySelector('.agor-foretelling')?.textContent;
    expect(text).toContain('Starts Claude in a new session.');
    expect(text).toContain('“Do it”');
    expect(text).toContain(dialogTexts.zone.waitsHere('2 of 2 in work'));
    expect(made.commands.previewDrop).toHaveBeenCalledTimes(1);
  });

  it('says with Alt that it only moves, as soon as the key is down', () => {
    const made = board();
    hold(made, [30, 110]);

    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Alt' }));

    expect(made.stage.root.querySelector('.agor-foretelling')?.textContent).toBe(dialogTexts.zone.movesOnly);
  });

  it('is nothing where nothing runs', () => {
    expect(hold(board(), [430, 110])).toBe('');
  });
});
