import { describe, expect, it } from 'vitest';

import { World } from '../../../dev/made-up';
import { card } from '../objects/card';
import { note, toggleLine } from '../objects/note';
import type { ViewContext } from '../types';
import { agentTile, h, icon, mark, morph } from './dom';

const context = { detail: 'full', isWritable: true } as ViewContext;
const draw = (text: string): HTMLElement => note.draw('ob_1', { kind: 'note', x: 0, y: 0, width: 264, height: 120, text, color: '' }, context);

describe('notes', () => {
  it('draw text as text, whatever it looks like', () => {
    const element = draw('<img src=x onerror=alert(1)>\n[x](javascript:alert(1)) <script>1</script>');

    expect(element.querySelectorAll('img, script, a').length).toBe(0);
    expect(element.textContent).toContain('<img src=x onerror=alert(1)>');
  });

  it('know headings, boxes to tick, code and links to the web', () => {
    const element = draw('# Sprint\n- [x] done\n- [ ] `open` see https://example.org/a');

    expect(element.querySelector('h4')?.textContent).toBe('Sprint');
    expect([...element.querySelectorAll('[role=checkbox]')].map(box => box.getAttribute('aria-checked'))).toEqual(['true', 'false']);
    expect(element.querySelector('code')?.textContent).toBe('open');
    expect(element.querySelector('a')?.getAttribute('rel')).toBe('noopener noreferrer');
  });

  it('tick one line', () => {
    expect(toggleLine('- [ ] a\n- [x] b', 1)).toBe('- [ ] a\n- [ ] b');
    expect(toggleLine('plain', 0)).toBe('plain');
  });
});

describe('a card', () => {
  it('shows what a branch hides in its name', () => {
    const world = new World();
    const branch = 'fix/\u202etxt.exe';
    const object = { kind: 'card', x: 0, y: 0, worktree: 'wt_none', repo: 'warehouse', branch, title: '', base: 'main' } as const;
    const seen = {
      ...context,
      state: world.state(),
      now: 0,
      readers: new Map(),
      isUnfolded: () => false,
      trouble: () => null,
      isWaiting: () => false,
    } as unknown as ViewContext;

    const element = card.draw('ob_2', object, seen);

    expect(element.textContent).toContain('fix/⟨202E⟩txt.exe');
    expect(element.outerHTML).not.toContain('\u202e');
  });
});

describe('the tile of an agent', () => {
  it('is the neutral one when its icon is not in the set', () => {
    const icons = ['ag-codex', 'mine', ''].map(name => agentTile(name, 'Mine').querySelector('svg'));

    expect(icons.map(svg => svg?.getAttribute('data-icon'))).toEqual(['ag-codex', 'ag-agent', 'ag-agent']);
    expect(icons.every(svg => svg?.childElementCount)).toBe(true);
  });
});

describe('morph', () => {
  it('keeps the nodes that fit, so that a turning mark goes on turning', () => {
    const from = h('div', null, mark('running', 'Running'), h('span', null, '3:12'));
    const kept = from.querySelector('svg');

    morph(from, h('div', { class: 'new' }, mark('running', 'Running'), h('span', null, '3:13')));

    expect(from.querySelector('svg')).toBe(kept);
    expect(from.textContent).toBe('3:13');
    expect(from.className).toBe('new');
  });

  it('replaces what is another thing', () => {
    const from = h('div', null, icon('plus'), h('b', null, 'x'));

    morph(from, h('div', null, icon('minus')));

    expect(from.querySelector('svg')?.getAttribute('data-icon')).toBe('minus');
    expect(from.childNodes.length).toBe(1);
  });
});
