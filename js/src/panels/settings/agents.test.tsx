import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { icons } from '../../icons.js';
import type { AgentStatus, AgentType, Me, Session, SessionOption } from '../../protocol/generated.js';
import { initialState } from '../../store/apply.js';
import { AgentTile } from '../common/Icon.js';
import { type AppContext, Context } from '../context.js';
import { type AgentChoice, AgentFields, useAgentChoice } from '../session/AgentChoice.js';
import { AgentsDialog } from './Agents.js';

const MODE: SessionOption = {
  id: 'mode',
  name: 'Mode',
  category: 'mode',
  value: 'read-only',
  choices: [
    { id: 'read-only', name: 'Read only', description: 'Asks', group: null },
    { id: 'full', name: 'Full access', description: 'Does not ask', group: null },
  ],
} as unknown as SessionOption;

function statusOf(agent: Partial<AgentType>, status: Partial<AgentStatus> = {}): AgentStatus {
  const about = { install: { package: null, byHand: null, diskMb: 5 }, signIn: { command: [], keyEnv: [] }, notes: [] };
  const type = { name: 'boxed', label: 'Boxed', icon: 'ag-agent', isBuiltin: false, ...about, ...agent };
  return {
    agent: type,
    isInstalled: true,
    origin: 'catalogue',
    version: null,
    pinned: null,
    isSignedIn: null,
    problem: null,
    options: [],
    ...status,
  } as AgentStatus;
}

let place: HTMLElement;
let root: Root;
/** What was asked of the server. */
let asked: string[];

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  asked = [];
  place = document.body.appendChild(document.createElement('div'));
  root = createRoot(place);
});
afterEach(async () => {
  await act(async () => root.unmount());
  place.remove();
});

async function show(status: AgentStatus, what: React.ReactNode): Promise<void> {
  const shared = { ...initialState, me: { role: 'owner' } as Me, agents: new Map([[status.agent.name, status]]) };
  const state = { shared };
  const http = { get: async () => [], post: async (path: string) => void asked.push(path) };
  const app = { client: { getState: () => state, subscribe: () => () => undefined, http }, commands: {} } as unknown as AppContext;
  await act(async () => root.render(<Context.Provider value={app}>{what}</Context.Provider>));
}

let choice: AgentChoice;
function Chooser({ origin }: { origin?: Session }) {
  choice = useAgentChoice('boxed', origin);
  return <AgentFields choice={choice} label="Agent" />;
}

const mode = () => [...place.querySelectorAll('label')].find(label => label.textContent === 'Mode')!.control as HTMLSelectElement;
async function pick(value: string): Promise<void> {
  await act(async () => {
    mode().value = value;
    mode().dispatchEvent(new Event('change', { bubbles: true }));
  });
}

const boxed = statusOf({}, { options: [MODE], startingMode: 'full' });

test('the mode that is shown is the one in which the session starts', async () => {
  await show(boxed, <Chooser />);

  expect(mode().selectedOptions[0]?.textContent).toBe('Full access (default)');
  expect(place.textContent).toContain('Does not ask');
  expect(choice.options).toEqual({});
});

test('what a person picks is sent, though it is what was shown, until it is taken back', async () => {
  await show(boxed, <Chooser />);

  await pick('full');
  expect(choice.options).toEqual({ mode: 'full' });
  expect(mode().selectedOptions[0]?.textContent).toBe('Full access');
  await pick('read-only');
  expect(choice.options).toEqual({ mode: 'read-only' });
  await pick('');
  expect(choice.options).toEqual({});
});

test('a fork by the same agent starts in the mode of its origin', async () => {
  await show(boxed, <Chooser origin={{ agent: 'boxed', chosen: { mode: 'read-only' } } as unknown as Session} />);

  expect(mode().selectedOptions[0]?.textContent).toBe('Read only (default)');
});

const packed = (status: Partial<AgentStatus>) =>
  statusOf({ install: { package: '@acme/boxed@2.0.0', diskMb: 5 } as AgentType['install'] }, { pinned: '2.0.0', ...status });
const button = (label: string) => place.querySelector<HTMLButtonElement>(`button[aria-label="${label}"]`);

test.each([
  { is: 'not here', status: { isInstalled: false }, label: 'Install Boxed', text: 'Install 2.0.0, 5 MB' },
  { is: 'here in an older version', status: { isManaged: true, version: '1.9.0' }, label: 'Update Boxed', text: 'Update to 2.0.0' },
  { is: 'the machine’s own, of another version', status: { version: '1.9.0' }, label: 'Install Boxed', text: 'Install 2.0.0, 5 MB' },
  {
    is: 'older, and could not be updated',
    status: { isManaged: true, version: '1.9.0', installState: 'failed' as const, installStep: 'npm' },
    label: 'Update Boxed',
    text: 'Try again',
  },
])('an agent that is $is can be had in the version that was tested', async ({ status, label, text }) => {
  await show(packed(status), <AgentsDialog agent={undefined} back={undefined} />);

  expect(button(label)?.textContent).toBe(text);
  await act(async () => button(label)?.click());
  expect(asked).toEqual(['agents/boxed/install']);
});

test.each([
  { is: 'here in that version', status: { isManaged: true, version: '2.0.0' } },
  { is: 'the machine’s own, of that version', status: { version: '2.0.0' } },
  { is: 'the machine’s own, of a version that nobody asked for', status: { version: null } },
  { is: 'on its way', status: { isManaged: true, version: '1.9.0', installState: 'installing' as const } },
])('an agent that is $is has nothing to install', async ({ status }) => {
  await show(packed(status), <AgentsDialog agent={undefined} back={undefined} />);

  expect(button('Install Boxed') ?? button('Update Boxed')).toBeNull();
  expect(button('Check Boxed')).not.toBeNull();
});

test('why a program does not run is said in its line, first things first', async () => {
  await show(
    packed({ problem: 'it ended with code 127. Its last output: env: node: \u202eNo such file\nmore' }),
    <AgentsDialog agent={undefined} back={undefined} />,
  );

  const alert = place.querySelector('[data-agent=boxed] [role=alert]');
  expect(alert?.textContent).toBe('It does not run: it ended with code 127. Its last output: env: node: ⟨202E⟩No such file');
  expect(place.querySelector('[data-agent=boxed] pre')?.textContent).toBe('more');
});

test('an agent without an icon of the set has the neutral one, not another agent’s', async () => {
  await show(packed({}), <AgentTile icon="mine" label="Mine" />);

  expect(place.querySelector('svg')?.innerHTML).toContain(icons['ag-agent'].slice(0, 12));
});
