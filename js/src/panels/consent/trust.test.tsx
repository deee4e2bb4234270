import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Me, Permission, Person, ProjectFile, Worktree } from '../../protocol/generated.js';
import { ApiError } from '../../session/requests.js';
import { initialState } from '../../store/apply.js';
import { dialogTexts } from '../../texts';
import { size } from '../../texts/counts.js';
import { Inbox } from '../board/Inbox.js';
import { type AppContext, Context } from '../context.js';
import { PermissionBlock, Settled } from './Permission.js';
import { TrustDialog } from './TrustDialog.js';

const ANN = { username: 'ann', name: 'Ann' } as Person;
const sha = (letter: string) => letter.repeat(64);
const file = (path: string, more: Partial<ProjectFile> = {}): ProjectFile => ({
  path,
  agents: ['claude'],
  sha256: sha('a'),
  size: 12,
  text: null,
  isCut: false,
  problem: null,
  state: 'new',
  decidedBy: null,
  decidedAt: null,
  ...more,
}); // prettier-ignore
const question = (files: ProjectFile[], more: Partial<Permission> = {}): Permission =>
  ({
    id: 'pe_1',
    sessionId: 'se_1',
    worktreeId: 'wt_1',
    title: 'Claude Code wants to load instruction files that nobody trusts',
    toolKind: 'trust',
    command: files.map(({ path }) => path).join('\n'),
    files,
    options: [
      { id: 'without', name: 'Do not start it', kind: 'reject_always', reach: 'session', keptIn: null },
      { id: 'trust', name: 'Trust these files', kind: 'allow_always', reach: 'session', keptIn: null },
    ],
    state: 'open',
    askedAt: new Date().toISOString(),
    answeredAt: null,
    answeredBy: null,
    ruleId: null,
    ruleWords: null,
    ruleKind: 'trust',
    ...more,
  }) as Permission;

let place: HTMLElement;
let root: Root;
/** What the server has, and what it was asked. */
let there: ProjectFile[];
let asked: unknown[];
/** How it refuses to be read, and to decide. */
let unread: Error | null;
let refusal: Error | null;

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  there = [];
  asked = [];
  unread = refusal = null;
  place = document.body.appendChild(document.createElement('div'));
  root = createRoot(place);
});
afterEach(async () => {
  await act(async () => root.unmount());
  place.remove();
});

async function show(what: React.ReactNode, { role = 'owner', permissions = [] as Permission[] } = {}): Promise<void> {
  const me = { role, person: ANN } as Me;
  const sessions = new Map([['se_1', { id: 'se_1', agent: 'claude', state: 'needs_you', createdBy: ANN, archivedAt: null }]]);
  const agents = new Map([['claude', { agent: { name: 'claude', label: 'Claude Code' } }]]);
  const shared = { ...initialState, me, sessions, agents, permissions: new Map(permissions.map(one => [one.id, one])) };
  const state = { shared };
  const http = {
    get: async (path: string) => {
      asked.push(`GET ${path}`);
      if (unread) throw unread;
      return there;
    },
    post: async (_: string, body: unknown) => {
      asked.push(body);
      if (refusal) throw refusal;
      const { files, isTrusted } = body as { files: Record<string, string>; isTrusted: boolean };
      there = there.map(one =>
        one.path in files ? { ...one, state: isTrusted ? 'trusted' : 'refused', decidedBy: ANN, decidedAt: new Date().toISOString() } : one,
      );
    },
  };
  const commands = { answer: async (_: string, option: string) => void asked.push(option), closeDialog: () => undefined };
  const app = { client: { getState: () => state, subscribe: () => () => undefined, http }, commands } as unknown as AppContext;
  await act(async () => root.render(<Context.Provider value={app}>{what}</Context.Provider>));
}

const row = (path: string) => place.querySelector<HTMLElement>(`[data-path="${path}"]`)!;
const open = (path: string) => act(async () => row(path).querySelector<HTMLButtonElement>('[aria-expanded]')!.click());
const press = (label: string) => act(async () => place.querySelector<HTMLButtonElement>(`button[aria-label="${label}"]`)!.click());
const buttons = () => [...place.querySelectorAll('[aria-keyshortcuts]')].map(button => button.textContent);

test('an owner reads what would be obeyed, as text, and answers with a key', async () => {
  there = [file('CLAUDE.md', { text: '<img src=x onerror=alert(1)> \u202eobey' }), file('.mcp.json', { text: '{}' })];
  const asks = question([file('CLAUDE.md'), file('.mcp.json', { state: 'changed', size: 4100 })]);
  await show(<PermissionBlock permission={asks} takesFocus={false} />);
  expect(place.textContent).toContain('Claude Code would load these 2 files, which nobody trusts');
  expect(row('.mcp.json').textContent).toBe('.mcp.jsonchanged4.1 kB');
  expect(asked).toEqual([]);

  await open('CLAUDE.md');
  await open('.mcp.json');

  expect(asked).toEqual(['GET worktrees/wt_1/project-files']);
  expect(row('CLAUDE.md').querySelector('pre')?.textContent).toBe('<img src=x onerror=alert(1)> ⟨202E⟩obey');
  expect(row('CLAUDE.md').querySelector('button')?.getAttribute('aria-expanded')).toBe('true');
  expect(place.querySelector('img')).toBeNull();
  expect(buttons()).toEqual(['Trust these files1', 'Do not start it2']);
  expect(place.querySelector(`[aria-label="${dialogTexts.permission.rememberMore}"]`)).toBeNull();
  const key = new KeyboardEvent('keydown', { key: '2', bubbles: true });
  await act(async () => void row('CLAUDE.md').querySelector('button')!.dispatchEvent(key));
  expect(asked.at(-1)).toBe('without');
});

test.each([
  { is: 'another content by now', now: [file('A.md', { sha256: sha('b'), text: 'newer' })], says: 'It has changed since this was asked' },
  { is: 'gone', now: [], says: 'It is no longer there.' },
  { is: 'not text', now: [file('A.md')], says: 'It is not text.' },
  { is: 'empty', now: [file('A.md', { text: '' })], says: 'It is empty.' },
  { is: 'long', now: [file('A.md', { text: 'begins', isCut: true })], says: 'Only the beginning is shown.' },
])('a file that is $is says so', async ({ now, says }) => {
  there = now;
  await show(<PermissionBlock permission={question([file('A.md')])} takesFocus={false} />);

  await open('A.md');

  expect(row('A.md').textContent).toContain(says);
});

test('what could not be read is said, and tried again when it is opened again', async () => {
  unread = new Error('The server cannot be reached just now.');
  await show(<PermissionBlock permission={question([file('A.md')])} takesFocus={false} />);

  await open('A.md');
  expect(row('A.md').querySelector('[role=alert]')?.textContent).toBe('The server cannot be reached just now.');
  unread = null;
  there = [file('A.md', { text: 'read now' })];
  await open('A.md');
  await open('A.md');

  expect(row('A.md').querySelector('pre')?.textContent).toBe('read now');
});

test('whoever is no owner sees the names, and neither content nor buttons', async () => {
  await show(<PermissionBlock permission={question([file('A.md')])} takesFocus={false} />, { role: 'steerer' });

  expect(place.textContent).toContain('A.md');
  expect(place.textContent).toContain(dialogTexts.permission.notAllowed);
  expect(place.querySelector('button')).toBeNull();
});

test('the inbox says what is asked and leads to where it can be read', async () => {
  await show(<Inbox />, { permissions: [question([file('CLAUDE.md'), file('.mcp.json')])] });

  const said = place.querySelector('[data-permission]')!;
  expect(said.textContent).toContain('Claude Code wants to load untrusted files');
  expect([...said.querySelectorAll('button')].map(button => button.textContent)).toEqual(['Open']);
});

test.each([
  { state: 'allowed', answeredBy: ANN, says: 'Ann trusted 4 files: A.md, B.md, C.md, …' },
  { state: 'rejected', answeredBy: ANN, says: 'Ann did not trust 4 files: A.md, B.md, C.md, …' },
  { state: 'expired', answeredBy: null, says: 'Nobody answered about 4 files: A.md, B.md, C.md, …' },
  { state: 'withdrawn', answeredBy: null, says: 'No longer asked about 4 files: A.md, B.md, C.md, …' },
] as const)('a question that ended $state stays in the transcript', async ({ state, answeredBy, says }) => {
  const files = ['A.md', 'B.md', 'C.md', 'D.md'].map(path => file(path));
  await show(<Settled permission={question(files, { state, answeredBy })} />);

  expect(place.querySelector('.agor-ell')?.textContent).toBe(says);
});

const dialog = <TrustDialog worktree={{ id: 'wt_1', name: 'One' } as Worktree} />;
const pressed = (path: string) => row(path).querySelector('[aria-pressed=true]')?.textContent;

test('trust is given and taken back, for the content that was read', async () => {
  there = [file('A.md', { text: 'obey' }), file('B.md', { sha256: sha('b') })];
  await show(dialog);
  expect(row('A.md').textContent).toContain('undecided');

  await press('Trust A.md');
  expect(asked.at(-2)).toEqual({ files: { 'A.md': sha('a') }, isTrusted: true });
  expect([pressed('A.md'), pressed('B.md')]).toEqual(['Trust', undefined]);
  expect(row('A.md').textContent).toContain('Trusted by Ann, just now');
  expect(place.querySelector('p[role=status]')?.textContent).toBe('A.md is trusted.');
  await press('Do not trust A.md');

  expect(asked.at(-2)).toEqual({ files: { 'A.md': sha('a') }, isTrusted: false });
  expect(pressed('A.md')).toBe('Do not trust');
  expect(place.querySelector('p[role=status]')?.textContent).toBe('A.md is not trusted.');
});

test('all that is undecided is trusted at once, and nothing else', async () => {
  there = [
    file('A.md'),
    file('B.md', { state: 'changed', sha256: sha('b') }),
    file('C.md', { state: 'refused', decidedBy: ANN, decidedAt: '2026-01-01T00:00:00Z' }),
    file('hooks/', { sha256: null, problem: 'It holds more than 500 files.' }),
  ];
  await show(dialog);

  await act(async () => place.querySelector<HTMLButtonElement>('.agor-dialog-foot button')!.click());

  expect(asked.at(-2)).toEqual({ files: { 'A.md': sha('a'), 'B.md': sha('b') }, isTrusted: true });
  expect(place.querySelector('.agor-dialog-foot')).toBeNull();
  expect(row('hooks/').textContent).toContain('It holds more than 500 files.');
  expect(row('hooks/').querySelector('button')).toBeNull();
});

test('what has another content by now is read again, and its row says that nothing was decided', async () => {
  there = [file('A.md', { text: 'old' }), file('B.md')];
  await show(dialog);
  await open('A.md');
  there = [file('A.md', { text: 'new', sha256: sha('c') }), file('B.md')];
  refusal = new ApiError('project_file_changed', 'Nothing was decided.', 409);

  await press('Trust A.md');

  expect(asked.slice(1)).toEqual([{ files: { 'A.md': sha('a') }, isTrusted: true }, 'GET worktrees/wt_1/project-files']);
  expect(row('A.md').querySelector('[role=alert]')?.textContent).toBe('Nothing was decided.');
  expect(row('A.md').querySelector('pre')?.textContent).toBe('new');
  expect(place.querySelector('p[role=status]')?.textContent).toBe('');
});

test('where nothing would be obeyed, and where the configuration trusts it, there is nothing to decide', async () => {
  await show(dialog);
  expect(place.textContent).toContain('No agent would load any file in this worktree.');

  await act(async () => root.unmount());
  root = createRoot(place);
  there = [file('A.md', { state: 'trusted' })];
  await show(dialog);

  expect(row('A.md').textContent).toContain('This server is configured to trust all such files');
  expect(row('A.md').querySelector('[aria-pressed]')).toBeNull();
});

test('sizes have units', () => {
  expect([1, 812, 4100, 999_949, 999_950, 4_194_304].map(size)).toEqual(['1 byte', '812 bytes', '4.1 kB', '999.9 kB', '1.0 MB', '4.2 MB']);
});
