// Whatever the order in which answers, changes of the document and typing come: nobody is told of a conflict with themselves, and all is saved.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { ZonePolicy } from '../../protocol/generated.js';
import { changed } from '../../store/merge.js';
import { PLAIN } from '../../store/policy.js';
import { type AppContext, Context } from '../context.js';
import { type Editing, usePolicy } from './usePolicy.js';

interface Asked {
  readonly policy: ZonePolicy;
  readonly answer: () => void;
  readonly fail: () => void;
}

let root: Root;
let home: HTMLElement;
let editing: Editing;
let asked: Asked[];
/** What the server has taken, and the page has not seen in the document yet. */
let taken: ZonePolicy[];

function Harness({ saved }: { saved: ZonePolicy | null }) {
  editing = usePolicy('ob_zone', saved);
  return null;
}

const http = {
  patch: (_path: string, { policy }: { policy: ZonePolicy }) =>
    new Promise((resolve, reject) => {
      asked.push({
        policy,
        answer: () => resolve({}),
        fail: () => reject(new Error('The server did not answer in time.')),
      });
      taken.push(policy);
    }),
};
const app = { client: { path: 'a.agor', http, getState: () => ({}), subscribe: () => () => undefined } } as unknown as AppContext;
const show = (saved: ZonePolicy | null) =>
  act(async () =>
    root.render(
      <Context.Provider value={app}>
        <Harness saved={saved} />
      </Context.Provider>,
    ),
  );

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  vi.useFakeTimers();
  sessionStorage.clear();
  home = document.body.appendChild(document.createElement('div'));
  root = createRoot(home);
  [asked, taken] = [[], []];
});
afterEach(async () => {
  await act(async () => root.unmount());
  home.remove();
  vi.useRealTimers();
});

/** mulberry32 */
const randomOf = (seed: number) => (below: number) => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
};

/** As the document gives it back: fields in any order. */
const shuffled = (value: unknown, random: (below: number) => number): unknown => {
  if (Array.isArray(value)) return value.map(one => shuffled(one, random));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, one]) => ({ name, one: shuffled(one, random), at: random(1000) }));
  return Object.fromEntries(fields.sort((a, b) => a.at - b.at).map(({ name, one }) => [name, one]));
};

const edit = (random: (below: number) => number): Partial<ZonePolicy> => {
  const number = random(4);
  switch (random(4)) {
    case 0:
      return { prompt: `Do ${number}` };
    case 1:
      return { limit: number || null };
    case 2:
      return { options: number ? { model: `m${number}`, mode: 'plan' } : {} };
    default:
      return { gates: Array.from({ length: number }, (_, i) => ({ kind: 'command', run: i === 2 ? '' : `test ${i}`, when: 'after' })) };
  }
};

it.each(Array.from({ length: 60 }, (_, seed) => seed))(
  'whatever comes first, one person alone has no conflict and loses nothing (%i)',
  async seed => {
    const random = randomOf(seed);
    let inDocument: ZonePolicy | null = null;
    await show(inDocument);
    const arrive = async (many: number) => {
      const seen = taken.splice(0, many);
      const last = seen.at(-1);
      if (!last) return;
      inDocument = shuffled(last, random) as ZonePolicy;
      await show(inDocument);
    };

    for (let step = 0; step < 40; step += 1) {
      const what = random(9);
      if (what < 4) await act(async () => editing.set(edit(random), random(2) === 0));
      else if (what === 4) await act(async () => vi.advanceTimersByTime(random(1200)));
      else if (what === 5) await act(async () => void editing.flush());
      else if (what === 6) await arrive(1 + random(2));
      else if (what === 7) await act(async () => asked.shift()?.answer());
      // The server has taken it, and its answer was lost.
      else if (random(3) === 0) await act(async () => asked.shift()?.fail());
      expect(editing.conflicts).toEqual([]);
    }
    for (let round = 0; round < 6; round += 1) {
      await act(async () => vi.advanceTimersByTime(1000));
      await act(async () => asked.shift()?.answer());
      await arrive(taken.length);
      if (editing.state === 'failed') await act(async () => void editing.flush());
    }

    expect(editing.conflicts).toEqual([]);
    expect(editing.state).toBe('saved');
    const mine = { ...editing.policy, gates: editing.policy.gates.filter(({ run }) => run) };
    expect(changed(inDocument ?? PLAIN, mine)).toEqual([]);
  },
);
