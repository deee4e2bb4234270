// The stage and its parts on a real document: what keys, pointers and news do.
import { afterEach, describe, expect, it, vi } from 'vitest';

import { bench } from '../../dev/board';
import type { World } from '../../dev/made-up';
import { people } from '../../dev/made-up';
import { texts } from '../texts';

const { no } = texts.keys;

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

let worktree = '';
let session = '';

/** A card that asks, beside a note, below a zone with nothing in it. */
const small = (world: World): void => {
  worktree = world.worktree('Late orders', 'late-orders', people.eva);
  session = world.session(worktree, 'claude', 'Repair them', 'needs_you', 2);
  world.ask(worktree, session, 'dbt build');
  world.zone('ob_zone', 'Build', 0, 0, 300, 200);
  world.card(worktree, 40, 300);
  world.note('ob_note', 'to do', 600, 300, 200, 120);
};
const CARD = () => `ob_${worktree}`;

describe('keys', () => {
  it('go from card to card, and leave the board after the last', () => {
    const { stage, key } = bench(small);
    const ids: (string | undefined)[] = [];

    for (let i = 0; i < 3; i++) {
      key('Tab');
      ids.push((document.activeElement as HTMLElement).dataset['id']);
    }

    expect(ids).toEqual([CARD(), 'ob_note', 'ob_note']);
    stage.destroy();
  });

  it('answer the question of the card that is meant, once', () => {
    const { commands, key, stage } = bench(small);

    stage.focus(CARD());
    key('1');
    key('1');

    expect(commands.answer).toHaveBeenCalledTimes(1);
    expect(commands.answer).toHaveBeenCalledWith(expect.stringMatching(/^pe_/), 'once');
  });

  it('open the panel for an “always”, which says there what it covers', () => {
    const { commands, key, stage } = bench(small);

    stage.focus(CARD());
    key('2');

    expect(commands.answer).not.toHaveBeenCalled();
    expect(commands.openSession).toHaveBeenCalledWith(session);
  });

  it.each([
    ['s', no.card],
    ['Enter', no.card],
    ['Delete', no.selection],
    ['d', no.card, {}],
    ['z', no.undo, { ctrlKey: true }],
  ])('say why %s does nothing', (name, why, more = {}) => {
    const { key, stage } = bench(small);

    key(name, more as KeyboardEventInit);

    expect(stage.chrome.getState().hint).toBe(why);
  });

  it('do not let a viewer make a worktree', () => {
    const { commands, key, stage } = bench(small, { role: 'viewer' });

    key('w');

    expect(commands.openDialog).not.toHaveBeenCalled();
    expect(stage.chrome.getState().hint).toBe(no.rights);
  });

  it('delete a note and keep a card whose worktree is there', () => {
    const { board, commands, key, local } = bench(small);

    local({ selection: new Set([CARD(), 'ob_note']) });
    key('Delete');

    expect([...board.getView().objects.keys()].sort()).toEqual([CARD(), 'ob_zone'].sort());
    expect(commands.toast).toHaveBeenCalledWith(expect.objectContaining({ text: `${texts.keys.deleted.note}. ${texts.keys.stays(1)}` }));
    expect(commands.select).toHaveBeenLastCalledWith([CARD()]);
  });

  it('take the card of an archived worktree off the board', () => {
    const { commands, key, local, news, world } = bench(small);
    Object.assign(world.worktrees[0] ?? {}, { state: 'archived' });
    news();

    local({ selection: new Set([CARD()]) });
    key('Delete');

    expect(commands.takeOffBoard).toHaveBeenCalledWith(worktree);
  });

  it('copy notes and zones but no cards', () => {
    const { board, key, local } = bench(small);

    local({ selection: new Set([CARD(), 'ob_note']) });
    key('d', { ctrlKey: true });

    const copies = [...board.getView().objects.entries()].filter(([id]) => ![CARD(), 'ob_note', 'ob_zone'].includes(id));
    expect(copies.map(([, object]) => object)).toEqual([expect.objectContaining({ kind: 'note', text: 'to do', x: 624, y: 324 })]);
  });

  it('move what is selected by arrows', () => {
    const { board, key, local } = bench(small);

    local({ selection: new Set(['ob_note']) });
    key('ArrowRight', { shiftKey: true });

    expect(board.getView().objects.get('ob_note')).toMatchObject({ x: 620, y: 300 });
  });

  it('undo one thing after the other on Escape', () => {
    const { commands, key, local } = bench(small);

    local({ tool: 'note', openSessionId: session, selection: new Set(['ob_note']) });
    key('Escape');
    expect(commands.setTool).toHaveBeenCalledWith('select');
    key('Escape');
    expect(commands.openSession).toHaveBeenCalledWith(null);
    local({ openSessionId: null });
    key('Escape');
    expect(commands.select).toHaveBeenLastCalledWith([]);
  });

  it('are the field’s own while something is written', () => {
    const { key, local, stage } = bench(small);

    local({ selection: new Set(['ob_note']) });
    stage.edit('ob_note');
    const field = stage.root.querySelector('textarea');
    field?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Delete', bubbles: true }));

    expect(field?.value).toBe('to do');
    expect(stage.scene.items.has('ob_note')).toBe(true);
    key('Escape');
  });
});

describe('a pointer', () => {
  it('drags the board while Space is down, whatever the tool is', () => {
    const { key, local, press, stage } = bench(small);

    local({ tool: 'note' });
    key(' ');
    press([10, 10], [60, 40]);

    expect(stage.camera).toEqual({ x: 50, y: 30, zoom: 1 });
    expect(stage.scene.items.size).toBe(3);
  });

  it('opens nothing with the click that ends a drag', () => {
    const { commands, press, stage } = bench(small);
    const row = stage.scene.items.get(CARD())?.element?.querySelector('[data-act="session"]') ?? null;

    press([60, 340], [160, 340], { on: row });
    expect(commands.openSession).not.toHaveBeenCalled();
    press([160, 340], undefined, { on: row });

    expect(commands.openSession).toHaveBeenCalledWith(session);
  });

  it('zooms at its place with Ctrl and the wheel', () => {
    const { stage } = bench(small);

    // happy-dom's WheelEvent has no keys and no place.
    const wheel = new WheelEvent('wheel', { deltaY: -100, bubbles: true, cancelable: true });
    stage.root.dispatchEvent(Object.assign(wheel, { ctrlKey: true, clientX: 300, clientY: 200 }));

    const { x, y, zoom } = stage.camera;
    expect(zoom).toBeGreaterThan(1);
    expect((300 - x) / zoom).toBeCloseTo(300);
    expect((200 - y) / zoom).toBeCloseTo(200);
  });

  it('ends without its effect when the browser takes it', () => {
    const { board, stage } = bench(small);
    const element = stage.scene.items.get('ob_note')?.element;
    const event = (type: string, x: number) => new PointerEvent(type, { clientX: x, clientY: 340, pointerId: 1, bubbles: true, cancelable: true });

    element?.dispatchEvent(event('pointerdown', 650));
    window.dispatchEvent(event('pointermove', 750));
    expect(stage.scene.items.get('ob_note')?.held).toEqual({ x: 700, y: 300 });
    window.dispatchEvent(event('pointercancel', 750));

    expect(stage.scene.items.get('ob_note')?.held).toBeNull();
    expect(board.getView().objects.get('ob_note')).toMatchObject({ x: 600 });
  });
});

describe('marks', () => {
  it('fade what the filter does not fit, and say when nothing fits', () => {
    const { local, stage } = bench(small);
    const faded = () => stage.scene.items.get(CARD())?.element?.dataset['faded'];

    local({ filter: 'repair' });
    expect(faded()).toBeUndefined();
    local({ filter: 'nothing of that kind' });

    expect(faded()).toBe('yes');
    expect(stage.scene.items.get('ob_note')?.element?.dataset['faded']).toBeUndefined();
    expect(stage.chrome.getState().hint).toBe(texts.bar.noMatch('nothing of that kind'));
    local({ filter: '' });
    expect(stage.chrome.getState().hint).toBeNull();
  });

  it('stop the pulse of a card whose question is open in the panel', () => {
    const { local, stage } = bench(small);

    local({ openSessionId: session });
    expect(stage.scene.items.get(CARD())?.element?.dataset['open']).toBe('yes');
    local({ openSessionId: null });

    expect(stage.scene.items.get(CARD())?.element?.dataset['open']).toBeUndefined();
  });

  it('ask git about the worktrees in view, when it is still', async () => {
    const { commands, stage } = bench(small);
    expect(stage.viewport.isMoving).toBe(true);
    expect(commands.watch).not.toHaveBeenCalled();

    await vi.waitFor(() => expect(commands.watch).toHaveBeenCalledWith([worktree]));
  });
});

describe('what was asked for', () => {
  it('says on the card what went wrong, until that is dismissed', async () => {
    const { frame, stage } = bench(small);
    const text = () => stage.scene.items.get(CARD())?.element?.textContent ?? '';

    stage.run(CARD(), () => Promise.reject(new Error('The agent is gone.')));
    await Promise.resolve();
    await Promise.resolve();
    frame();
    expect(text()).toContain('The agent is gone.');
    stage.dismiss(CARD());
    frame();

    expect(text()).not.toContain('The agent is gone.');
  });
});

describe('writing', () => {
  it('keeps a note on Escape, and drops the name of a zone', () => {
    const { board, stage } = bench(small);
    const write = (id: string, text: string): void => {
      stage.edit(id);
      const field = stage.root.querySelector<HTMLInputElement>('.agor-edit');
      if (!field) throw new Error('There is no field.');
      field.value = text;
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    };

    write('ob_note', 'done');
    write('ob_zone', 'Test');

    expect(board.getView().objects.get('ob_note')).toMatchObject({ text: 'done' });
    expect(board.getView().objects.get('ob_zone')).toMatchObject({ name: 'Build' });
  });

  it('is for no card, and for nobody who may not write', () => {
    const owner = bench(small);
    owner.stage.edit(CARD());
    expect(owner.stage.editor.isOpen).toBe(false);

    const viewer = bench(small, { isWritable: false });
    viewer.stage.edit('ob_note');
    expect(viewer.stage.editor.isOpen).toBe(false);
  });
});
