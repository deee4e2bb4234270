// What is mounted, what is drawn again, and where things lie.
import { afterEach, describe, expect, it, vi } from 'vitest';

import { bench } from '../../../dev/board';
import type { World } from '../../../dev/made-up';
import { people } from '../../../dev/made-up';
import { boxOf } from '../layout/item';
import { changedWorktrees } from './invalidation';

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

const two = (world: World): void => {
  for (const [name, y] of [['First', 0] as const, ['Second', 200] as const]) world.card(world.worktree(name, name.toLowerCase(), people.eva), 0, y);
};
const idsOf = (world: World): [string, string] => world.worktrees.map(({ id }) => `ob_${id}`) as [string, string];

describe('mounting', () => {
  it('draws what is in view, and takes away what is far', () => {
    const { frame, stage } = bench(world => {
      world.note('ob_near', 'near', 0, 0);
      world.note('ob_far', 'far', 9000, 9000);
    });
    const drawn = () => [...stage.scene.visible()].map(item => item.id);
    expect(drawn()).toEqual(['ob_near']);

    stage.setCamera({ x: -8900, y: -8900, zoom: 1 });
    frame();

    expect(drawn()).toEqual(['ob_far']);
    expect(stage.scene.root.querySelectorAll('[data-id]').length).toBe(1);
  });

  it('keeps what has the focus', () => {
    const { frame, stage } = bench(world => world.note('ob_near', 'near', 0, 0));
    stage.focus('ob_near');

    stage.setCamera({ x: -8900, y: -8900, zoom: 1 });
    frame();

    expect([...stage.scene.visible()].map(item => item.id)).toEqual(['ob_near']);
  });

  it('has elements in reading order, whenever they came', () => {
    const { board, frame, stage } = bench(world => world.note('ob_b', 'b', 0, 400));

    const first = board.add({ kind: 'note', x: 0, y: 0, width: 200, height: 100, text: 'a', color: '' });
    frame();

    expect([...stage.scene.root.querySelectorAll<HTMLElement>('[data-id]')].map(element => element.dataset['id'])).toEqual([first, 'ob_b']);
  });

  it('keeps a mark when an element is made anew', () => {
    const { frame, stage } = bench(world => world.note('ob_a', 'a', 0, 0));
    stage.scene.flag('ob_a', 'selected', 'yes');

    stage.setCamera({ x: -8900, y: 0, zoom: 1 });
    frame();
    stage.setCamera({ x: 0, y: 0, zoom: 1 });
    frame();

    expect(stage.scene.items.get('ob_a')?.element?.dataset['selected']).toBe('yes');
  });

  it('forgets what was removed', () => {
    const { board, frame, stage } = bench(world => world.note('ob_a', 'a', 0, 0));

    board.remove(['ob_a']);
    frame();

    expect(stage.scene.items.size).toBe(0);
    expect(stage.scene.root.querySelector('[data-id]')).toBeNull();
  });

  it('draws tiles far out', () => {
    const { frame, stage, world } = bench(two);

    stage.setCamera({ x: 0, y: 0, zoom: 0.2 });
    frame();

    expect(stage.scene.root.dataset['detail']).toBe('tile');
    expect(stage.scene.items.get(idsOf(world)[0])?.element?.classList.contains('agor-tile')).toBe(true);
  });
});

describe('invalidation', () => {
  it('draws the card again whose worktree has news, and no other', () => {
    const { frame, news, stage, world } = bench(two);
    const [first, second] = idsOf(world);
    const other = stage.scene.items.get(second)?.element?.querySelector('h3');

    world.worktrees[0] = { ...(world.worktrees[0] as (typeof world.worktrees)[number]), name: 'Renamed' };
    news();
    frame();

    expect(stage.scene.items.get(first)?.element?.textContent).toContain('Renamed');
    expect(stage.scene.items.get(second)?.element?.querySelector('h3')).toBe(other);
  });

  it('counts the cards of a zone, and those that wait for a person', () => {
    const { frame, news, stage, world } = bench(w => {
      w.zone('ob_zone', 'Build', -20, -20, 400, 600);
      two(w);
    });
    const head = () => stage.scene.items.get('ob_zone')?.element?.querySelector('.agor-lim')?.getAttribute('aria-label');
    expect(head()).toBe('2 cards');

    const [worktree] = world.worktrees;
    if (!worktree) throw new Error('There is no worktree.');
    world.session(worktree.id, 'claude', 'Ask', 'needs_you', 1);
    news();
    frame();

    expect(head()).toBe('2 cards, 1 need you');
  });

  it('knows which worktrees a change is about', () => {
    const { world } = bench(two);
    const [first, second] = world.worktrees;
    if (!first || !second) throw new Error('There are no worktrees.');
    world.session(second.id, 'claude', 'Wait', 'queued', 1);
    const before = world.state();

    const named = { ...before, worktrees: new Map(before.worktrees).set(first.id, { ...first, name: 'Other' }) };
    expect([...(changedWorktrees(before, named) ?? [])]).toEqual([first.id]);
    expect(changedWorktrees(before, { ...before, agents: new Map() })).toBeNull();

    // A place in the line is that of all that wait.
    world.session(first.id, 'claude', 'Wait too', 'queued', 1);
    const sessions = world.state().sessions;
    expect(changedWorktrees(before, { ...before, sessions })).toEqual(new Set([first.id, second.id]));
  });
});

describe('layout', () => {
  it('shows a card lower when the one above it grew, and leaves the document alone', () => {
    const { board, frame, stage, world } = bench(two);
    const [first, second] = idsOf(world);
    const upper = stage.scene.items.get(first);
    const lower = stage.scene.items.get(second);
    if (!upper || !lower) throw new Error('There are no cards.');

    upper.height = 400;
    stage.scene.layout.isUnsettled = true;
    stage.schedule();
    frame();

    expect(boxOf(lower).y).toBe(412);
    expect(board.getView().objects.get(second)).toMatchObject({ y: 200 });
  });

  it('grows a zone in what is shown, and in the document when something is dropped in what it grew by', () => {
    const { frame, stage, world } = bench(w => {
      w.zone('ob_zone', 'Build', -20, -20, 400, 300);
      two(w);
    });
    const { layout } = stage.scene;
    const lowest = stage.scene.items.get(idsOf(world)[1]);
    if (!lowest) throw new Error('There is no card.');
    expect(layout.members().get('ob_zone')?.length).toBe(2);

    lowest.height = 500;
    layout.isUnsettled = true;
    stage.schedule();
    frame();

    const [shown] = layout.shownContainers();
    expect(shown?.box.height).toBe(732);
    expect(layout.containers()[0]?.box.height).toBe(300);
    expect(layout.landing({ x: 0, y: 500, width: 272, height: 168 }).container).toEqual({ id: 'ob_zone', change: { height: 732 } });
    expect(layout.landing({ x: 0, y: 100, width: 272, height: 168 }).container).toBeNull();
  });

  it('finds what a box touches', () => {
    const { stage, world } = bench(two);
    const [first] = idsOf(world);

    expect([...stage.scene.layout.inBox({ x: 10, y: 10, width: 5, height: 5 })].map(item => item.id)).toEqual([first]);
  });
});
