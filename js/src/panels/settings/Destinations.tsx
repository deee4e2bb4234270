// Places outside of JupyterLab that are told when something needs the person. An address goes to the server once and never comes back.

import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import type { Destination } from '../../protocol/generated.js';
import { destinations, newKey } from '../../session/requests.js';
import type { NeedKind } from '../../store/needs.js';
import { dialogTexts } from '../../texts';
import { ago, personZone } from '../../texts/ages.js';
import { Dialog, Field } from '../common/Dialog.js';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useCommand, useNow } from '../context.js';

const words = dialogTexts.destinations;
const KINDS: readonly NeedKind[] = ['question', 'failure', 'slot', 'budget'];
const EMPTY = { name: '', address: '', kinds: KINDS, isHere: false, isQuiet: false, start: '22:00', end: '07:00' };

export function DestinationsDialog() {
  const { client, commands } = useApp();
  const [list, setList] = useState<readonly Destination[] | null>(null);
  const [draft, setDraft] = useState(EMPTY);
  const [said, setSaid] = useState('');
  const { run, isRunning, problem } = useCommand();
  const now = useNow(60_000);
  const runs = useRef(run);
  runs.current = run;
  const load = useCallback(async () => setList(await destinations.list(client)), [client]);
  useEffect(() => void runs.current(load), [load]);

  const set = (change: Partial<typeof EMPTY>) => setDraft(before => ({ ...before, ...change }));
  const act = (work: () => Promise<string>) =>
    void run(async () => {
      setSaid('');
      setSaid(await work());
      await load();
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const name = draft.name.trim();
    const quiet = draft.isQuiet ? { start: draft.start, end: draft.end, zone: personZone() } : null;
    const boards = draft.isHere ? [client.path] : [];
    act(async () => {
      await destinations.add(client, { name, address: draft.address.trim(), kinds: [...draft.kinds], boards, quiet }, newKey());
      setDraft(EMPTY);
      return words.added(name);
    });
  };
  const test = (one: Destination) =>
    act(async () => {
      const { hasArrived, reason } = await destinations.test(client, one.id);
      return hasArrived ? words.arrived(one.name) : words.lost(one.name, reason ?? '');
    });
  const pause = (one: Destination) =>
    act(async () => {
      await destinations.change(client, one.id, { isPaused: !one.isPaused });
      return '';
    });
  const remove = (one: Destination) =>
    act(async () => {
      await destinations.remove(client, one.id);
      return words.removed(one.name);
    });
  const button = (text: string, label: string, run: () => void) => (
    <button type="button" className="agor-btn agor-sm agor-ghost" aria-label={label} disabled={isRunning} onClick={run}>
      {text}
    </button>
  );
  return (
    <Dialog title={words.title} onClose={() => commands.closeDialog()} width={600}>
      <p className="agor-t2">{words.intro}</p>
      {list && !list.length && <p className="agor-advice">{words.empty}</p>}
      {list && list.length > 0 && (
        <ul className="agor-plain-list">
          {list.map(one => (
            <li key={one.id} className="agor-list-row agor-place" data-destination={one.id}>
              <span className="agor-grow agor-place-about">
                <span className="agor-ell">
                  {visible(one.name)} <span className="agor-t3">{visible(one.service)}</span>
                </span>
                <span className="agor-xs agor-t3">{visible(about(one, now))}</span>
                {one.trouble && <span className="agor-xs agor-place-trouble">{visible(one.trouble)}</span>}
              </span>
              {button(words.test, words.testOf(visible(one.name)), () => test(one))}
              {button(one.isPaused ? words.resume : words.pause, (one.isPaused ? words.resumeOf : words.pauseOf)(visible(one.name)), () =>
                pause(one),
              )}
              {button(words.remove, words.removeOf(visible(one.name)), () => remove(one))}
            </li>
          ))}
        </ul>
      )}
      <p className="agor-place-said" role="status">
        {visible(said)}
      </p>
      <form onSubmit={submit} autoComplete="off">
        <div className="agor-columns">
          <Field label={words.name}>
            {id => (
              <input
                id={id}
                className="agor-input"
                value={draft.name}
                placeholder={words.example}
                data-autofocus
                maxLength={100}
                onChange={event => set({ name: event.target.value })}
              />
            )}
          </Field>
          <Field label={words.address} hint={words.addressHelp}>
            {id => (
              <input
                id={id}
                className="agor-input agor-mono"
                type="password"
                autoComplete="new-password"
                spellCheck={false}
                maxLength={4000}
                value={draft.address}
                onChange={event => set({ address: event.target.value })}
              />
            )}
          </Field>
        </div>
        <fieldset className="agor-place-kinds">
          <legend className="agor-xs agor-t2">{words.what}</legend>
          {KINDS.map(kind => (
            <label key={kind}>
              <input
                type="checkbox"
                checked={draft.kinds.includes(kind)}
                onChange={({ target }) => set({ kinds: KINDS.filter(one => (one === kind ? target.checked : draft.kinds.includes(one))) })}
              />
              {words.kinds[kind]}
            </label>
          ))}
        </fieldset>
        <div className="agor-place-kinds">
          <label>
            <input type="checkbox" checked={draft.isHere} onChange={({ target }) => set({ isHere: target.checked })} />
            {words.thisBoard}
          </label>
          <label>
            <input type="checkbox" checked={draft.isQuiet} onChange={({ target }) => set({ isQuiet: target.checked })} />
            {words.quiet}
          </label>
        </div>
        {draft.isQuiet && (
          <div className="agor-columns">
            <Field label={words.from}>
              {id => (
                <input
                  id={id}
                  className="agor-input"
                  type="time"
                  required
                  value={draft.start}
                  onChange={({ target }) => set({ start: target.value })}
                />
              )}
            </Field>
            <Field label={words.until}>
              {id => (
                <input id={id} className="agor-input" type="time" required value={draft.end} onChange={({ target }) => set({ end: target.value })} />
              )}
            </Field>
          </div>
        )}
        <div className="agor-row">
          <Icon name="lock" size={14} />
          <span className="agor-grow agor-t3">{words.never}</span>
          <button
            type="submit"
            className="agor-btn agor-primary"
            disabled={isRunning || !draft.name.trim() || !draft.address.trim() || !draft.kinds.length}
          >
            {words.add}
          </button>
        </div>
      </form>
      <Problem text={problem} />
    </Dialog>
  );
}

const about = (one: Destination, now: number): string =>
  [
    one.isPaused ? words.paused : '',
    one.kinds.length === KINDS.length ? '' : one.kinds.map(kind => words.kinds[kind]).join(', '),
    one.boards.length ? words.onBoards(one.boards.length) : '',
    one.quiet ? words.quietHours(one.quiet.start, one.quiet.end, one.quiet.zone) : '',
    one.waiting ? words.waiting(one.waiting) : '',
    one.sentAt ? words.sent(ago(one.sentAt, now)) : '',
  ]
    .filter(Boolean)
    .join(', ');
