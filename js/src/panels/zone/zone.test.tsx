// What the dialogs of a zone ask of the server, and that nothing that was typed is lost.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as Y from 'yjs';

import { kinds, people, World } from '../../../dev/made-up';
import type { ZonePolicy } from '../../protocol/generated.js';
import { openBoard } from '../../store/board.js';
import { PLAIN } from '../../store/policy.js';
import type { BoardState } from '../../store/types.js';
import { dialogTexts, texts } from '../../texts';
import { type AppContext, Context } from '../context.js';
import { AskDialog, sensible, treeOf } from './AskDialog.js';
import { FiringBlock } from './FiringBlock.js';
import { FiringsDialog } from './Firings.js';
import { commandsOf } from './ZoneActs.js';
import { ZoneDialog } from './ZoneDialog.js';

const words = dialogTexts.zone.dialog;

let root: Root;
let home: HTMLElement;
let world: World;
let doc: Y.Doc;
let app: AppContext;
let sent: [string, string, unknown][];
let answers: (method: string, path: string) => unknown;
let closed: number;
let set: (change: (state: BoardState) => BoardState) => void;

const zone = (): Y.Map<unknown> => doc.getMap('objects').get('ob_build') as Y.Map<unknown>;

/** A board with two zones, as the document has it. `role`: whose page it is. */
const open = (role: 'owner' | 'member' | 'viewer' = 'owner'): void => {
  doc = new Y.Doc();
  const objects = doc.getMap('objects');
  doc.transact(() => {
    for (const [id, object] of Object.entries(world.objects)) objects.set(id, new Y.Map(Object.entries(object)));
  });
  const board = openBoard({ doc, awareness: null, isWritable: role !== 'viewer' });
  board.setSynced();
  const made = world.state();
  let state = { shared: { ...made, me: made.me && { ...made.me, role: role as 'owner' } }, board };
  const listeners = new Set<() => void>();
  set = change => {
    state = { ...state, shared: change(state.shared) as typeof state.shared };
    for (const listener of listeners) listener();
  };
  const ask = (method: string) => (path: string, body?: unknown) => {
    sent.push([method, path, body]);
    const answer = answers(method, path);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  app = {
    client: {
      path: 'a.agor',
      http: { get: ask('GET'), post: ask('POST'), put: ask('PUT'), patch: ask('PATCH') },
      getState: () => state,
      subscribe: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    view: { set: () => undefined, getState: () => ({}), subscribe: () => () => undefined },
    commands: {
      closeDialog: () => (closed += 1),
      openDialog: () => undefined,
      toast: () => undefined,
      decide: (id: string, what: string) => Promise.resolve(void sent.push(['decide', id, what])),
    },
  } as unknown as AppContext;
};

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  sessionStorage.clear();
  home = document.body.appendChild(document.createElement('div'));
  root = createRoot(home);
  [sent, closed] = [[], 0];
  answers = (method, path) =>
    method === 'GET'
      ? []
      : path.endsWith('/preview')
        ? { zoneId: '', starts: true, text: '', waits: null, prompt: 'seen', problem: null, problemLine: null }
        : {};
  world = new World();
  world.zone('ob_build', 'Build', 0, 0, 300, 400, '', { agent: 'claude', prompt: 'Do {{ worktree.branch }}', limit: 2 });
  world.zone('ob_test', 'Test', 400, 0, 300, 400);
  const card = kinds['done']?.(world) ?? '';
  world.card(card, 10, 60);
});
afterEach(async () => {
  await act(async () => root.unmount());
  home.remove();
});

const show = (what: React.ReactNode) => act(async () => root.render(<Context.Provider value={app}>{what}</Context.Provider>));
const labelled = (label: string): HTMLInputElement => {
  const found = [...home.querySelectorAll('label')].find(one => one.textContent === label);
  const field = found?.htmlFor ? document.getElementById(found.htmlFor) : found?.querySelector('input');
  if (!field) throw new Error(`no field ${label}`);
  return field as HTMLInputElement;
};
const put = (field: HTMLElement, value: string) =>
  act(async () => {
    const kind = field.tagName === 'TEXTAREA' ? HTMLTextAreaElement : field.tagName === 'SELECT' ? HTMLSelectElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, 'value')?.set?.call(field, value);
    field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
  });
const press = (text: string) =>
  act(async () => {
    const found = [...home.querySelectorAll('button')].find(one => one.textContent?.startsWith(text));
    if (!found) throw new Error(`no button ${text}`);
    found.click();
  });
const saved = (): Partial<ZonePolicy>[] => sent.filter(([method]) => method === 'PATCH').map(([, , body]) => (body as { policy: ZonePolicy }).policy);

describe('the settings of a zone', () => {
  it('are saved for everyone as they are chosen', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);

    await put(labelled(words.passes), 'ob_test');
    await act(() => vi.waitFor(() => expect(saved()).toHaveLength(1)));

    expect(sent.find(([method]) => method === 'PATCH')?.[1]).toBe('board/zones/ob_build');
    expect(saved()[0]).toEqual({ ...PLAIN, agent: 'claude', prompt: 'Do {{ worktree.branch }}', limit: 2, next: 'ob_test' });
    await act(() => vi.waitFor(() => expect(home.querySelector('[data-save]')?.textContent).toBe(words.saved)));
  });

  it('save what was typed when they are closed', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);

    await put(labelled(words.prompt), 'Do something else');
    await press(words.done);

    await vi.waitFor(() => expect(saved()).toHaveLength(1));
    expect(saved()[0]?.prompt).toBe('Do something else');
    expect(closed).toBe(1);
  });

  it('keep what could not be saved, and send it again', async () => {
    open();
    answers = method => (method === 'PATCH' ? new Error('The server cannot be reached just now.') : []);
    await show(<ZoneDialog zoneId="ob_build" />);
    await put(labelled(words.atOnce), '7');
    await act(() => vi.waitFor(() => expect(home.querySelector('.agor-save')?.textContent).toContain(words.notSaved), { timeout: 3000 }));

    await act(async () => root.render(null));
    answers = () => [];
    await show(<ZoneDialog zoneId="ob_build" />);

    expect(labelled(words.atOnce).value).toBe('7');
  });

  it('take in what a colleague changed, and keep what is changed here', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);
    await put(labelled(words.prompt), 'Mine');

    await act(async () => zone().set('policy', { ...PLAIN, agent: 'claude', prompt: 'Do {{ worktree.branch }}', limit: 9 }));

    expect(labelled(words.atOnce).value).toBe('9');
    expect(labelled(words.prompt).value).toBe('Mine');
    expect(home.querySelector('.agor-conflict')).toBeNull();
  });

  it('do not take what was saved here for a colleague’s, however late it comes back', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);
    await put(labelled(words.passes), 'ob_test');
    await act(() => vi.waitFor(() => expect(saved()).toHaveLength(1)));
    await put(labelled(words.fails), 'ob_test');
    await act(() => vi.waitFor(() => expect(saved()).toHaveLength(2)));
    await put(labelled(words.fails), '');

    await act(async () => zone().set('policy', saved()[0]));
    await act(async () => zone().set('policy', saved()[1]));

    expect(home.querySelector('.agor-conflict')).toBeNull();
    expect(labelled(words.passes).value).toBe('ob_test');
    expect(labelled(words.fails).value).toBe('');
  });

  it('tell of a conflict, send nothing until it is settled, and lose neither', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);
    await put(labelled(words.prompt), 'Mine');

    await act(async () => zone().set('policy', { ...PLAIN, agent: 'claude', prompt: 'Theirs', limit: 2 }));
    expect(home.querySelector('.agor-conflict')?.textContent).toContain(words.fields.prompt);
    expect(saved()).toEqual([]);
    await press(words.keepMine);

    await act(() => vi.waitFor(() => expect(saved()[0]?.prompt).toBe('Mine')));
  });

  it('give way to a colleague’s when that is wanted', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);
    await put(labelled(words.prompt), 'Mine');
    await act(async () => zone().set('policy', { ...PLAIN, agent: 'claude', prompt: 'Theirs', limit: 2 }));

    await press(words.takeTheirs);

    expect(labelled(words.prompt).value).toBe('Theirs');
    expect(saved()).toEqual([]);
  });

  it('do not send what is no number', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);

    await put(labelled(words.budget), 'much');

    expect(home.textContent).toContain(words.badBudget);
    await act(() => new Promise(done => setTimeout(done, 1000)));
    expect(saved()).toEqual([]);
  });

  it('do not send a gate that nothing is written in', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);

    await press(words.addGate);
    await put(home.querySelector(`[aria-label="${words.gate(1)}"]`) as HTMLElement, 'pytest -q');
    await act(() => vi.waitFor(() => expect(saved()).toHaveLength(1), { timeout: 3000 }));

    expect(saved()[0]?.gates).toEqual([{ kind: 'command', run: 'pytest -q', when: 'after' }]);
  });

  it('name what is misspelt, with its line, and put the nearest in its place', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_build" />);
    await put(labelled(words.prompt), 'Read\n{{ worktree.brunch }}');

    expect(home.querySelector('.agor-problem')?.textContent).toContain(words.line(2));
    await press(words.instead('worktree.branch'));

    expect(labelled(words.prompt).value).toBe('Read\n{{ worktree.branch }}');
  });

  it('are read by a viewer', async () => {
    open('viewer');
    await show(<ZoneDialog zoneId="ob_build" />);

    expect(home.querySelector('fieldset')?.disabled).toBe(true);
    expect([...home.querySelectorAll('.agor-dialog-foot button')].map(one => one.textContent)).toEqual([words.history, words.done]);
  });

  it('offer to allow its commands to owners only, and name each', async () => {
    open('member');
    const policy = { ...PLAIN, gates: [{ kind: 'command' as const, run: 'pytest -q', when: 'after' as const }] };
    zone().set('policy', policy);
    await show(<ZoneDialog zoneId="ob_build" />);
    expect(home.textContent).not.toContain(words.allow);

    expect(commandsOf({ ...policy, prompt: 'Do:\n```sh\ndbt build\ndbt test\n```\n```text\nno\n```' }, true)).toEqual([
      'pytest -q',
      'dbt build\ndbt test',
    ]);
    expect(commandsOf({ ...policy, prompt: '```sh\nrm\n```' }, false)).toEqual(['pytest -q']);
  });

  it('say that the zone is gone', async () => {
    open();
    await show(<ZoneDialog zoneId="ob_gone" />);

    expect(home.textContent).toContain(words.gone);
  });
});

describe('a zone that asks', () => {
  it('sends the prompt as it was edited, to whom was chosen', async () => {
    const worktree = world.worktrees[0]?.id ?? '';
    zonePolicy({ target: 'ask', prompt: 'x', agent: 'claude' });
    const firing = world.firing('ob_build', worktree, 'asking', { prompt: 'Rendered' });
    open();
    await show(<AskDialog firingId={firing} />);

    await put(labelled(dialogTexts.zone.ask.prompt), 'Edited');
    await act(async () => home.querySelector('form')?.requestSubmit());

    const [, path, body] = sent.find(([method]) => method === 'POST') ?? [];
    expect(path).toBe(`firings/${firing}/start`);
    expect(body).toEqual({ prompt: 'Edited', how: 'prompt', sessionId: world.sessions[1]?.id });
  });

  it('says that it was decided meanwhile', async () => {
    const firing = world.firing('ob_build', world.worktrees[0]?.id ?? '', 'running');
    open();
    await show(<AskDialog firingId={firing} />);

    expect(home.textContent).toContain(dialogTexts.zone.ask.over);
  });

  it('offers sessions as a tree, and chooses one that rests', () => {
    const made = new World();
    const worktree = made.worktree('a', 'a', people.eva);
    const main = made.session(worktree, 'claude', 'Main', 'done', 30);
    made.session(worktree, 'claude', 'Fork', 'running', 1, { originId: main });

    expect(treeOf(made.sessions).map(({ session, depth }) => [session.title, depth])).toEqual([
      ['Main', 0],
      ['Fork', 1],
    ]);
    expect(sensible(made.sessions)?.title).toBe('Main');
  });
});

describe('what a panel says of a run', () => {
  it('is what the card says, with the same answers', async () => {
    const worktree = world.worktrees[0];
    const firing = world.firing('ob_build', worktree?.id ?? '', 'approval');
    open();
    await show(worktree && <FiringBlock worktree={worktree} />);

    await press(texts.zone.reject);

    expect(home.querySelector('[data-firing]')?.textContent).toContain('Approve?');
    expect(sent).toEqual([['decide', firing, 'reject']]);
  });
});

describe('the history of a zone', () => {
  it('is paged, and what the stream says comes in', async () => {
    const worktree = world.worktrees[0]?.id ?? '';
    world.firing('ob_build', worktree, 'running', { createdAt: '2026-01-02T00:00:00Z' });
    const [live] = world.firings;
    const old = Array.from({ length: 20 }, (_, i) => ({
      ...live,
      id: `fi_old${i}`,
      state: 'passed',
      createdAt: `2026-01-01T00:00:${String(59 - i)}Z`,
    }));
    open();
    answers = () => old;
    await show(<FiringsDialog zoneId="ob_build" back={undefined} />);
    expect(home.querySelectorAll('[data-firing]').length).toBe(20);
    answers = () => [{ ...live, id: 'fi_first', state: 'withdrawn', createdAt: '2025-01-01T00:00:00Z' }];

    await press(dialogTexts.zone.firings.earlier);
    await act(async () => set(state => ({ ...state, firings: new Map([[live?.id ?? '', live as never]]) })));

    expect(sent.filter(([method]) => method === 'GET').map(([, , options]) => (options as { query: { after?: string } }).query.after)).toEqual([
      undefined,
      'fi_old19',
    ]);
    const rows = [...home.querySelectorAll<HTMLElement>('[data-firing]')].map(one => one.dataset['firing']);
    expect([rows.length, rows[0], rows.at(-1)]).toEqual([22, live?.id, 'fi_first']);
  });
});

function zonePolicy(policy: Partial<ZonePolicy>): void {
  const object = world.objects['ob_build'];
  if (object && 'policy' in object) world.objects['ob_build'] = { ...object, policy: { ...PLAIN, ...policy } };
}
