// The history of a schedule: each slot, what came of it, and why. Newest first, and live.
import { useEffect, useState } from 'react';

import type { Slot } from '../../protocol/generated.js';
import { schedules as requests } from '../../session/requests.js';
import type { Dialog as Opened } from '../../store/types.js';
import { dialogTexts } from '../../texts';
import { moment, took } from '../../texts/ages.js';
import { money } from '../../texts/money.js';
import { Dialog } from '../common/Dialog.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { canSteer, useApp, useCommand, useShared } from '../context.js';
import { SlotMark } from './SlotMark.js';

const words = dialogTexts.schedules;
const PAGE = 20;
const LIVE: readonly Slot['state'][] = ['planned', 'fired', 'running'];

export function SlotsDialog({ scheduleId, name, back }: { scheduleId: string; name: string; back: Opened | undefined }) {
  const { client, commands } = useApp();
  const { scheduleNews } = useShared();
  const { run, isRunning, problem } = useCommand();
  const [found, setFound] = useState<ReadonlyMap<string, Slot> | null>(null);
  const [hasMore, setMore] = useState(false);
  const load = (after?: string) =>
    void run(async () => {
      const list = await requests.slots(client, scheduleId, PAGE, after);
      setFound(before => new Map([...(before ?? []), ...list.map(one => [one.id, one] as const)]));
      if (after !== undefined || !found) setMore(list.length === PAGE);
    });
  useEffect(() => load(), [client, scheduleId, scheduleNews]);
  const shown = [...(found?.values() ?? [])].sort((a, b) => b.number - a.number);
  const close = () => {
    if (back) commands.openDialog(back.name, back);
    else commands.closeDialog();
  };
  return (
    <Dialog title={words.slots.title(name)} onClose={close} width={560}>
      {!found && isRunning && (
        <p className="agor-nothing" role="status">
          {words.slots.loading}
        </p>
      )}
      {found && !shown.length && <p className="agor-nothing">{words.slots.empty}</p>}
      {shown.length > 0 && (
        <ul className="agor-plain-list">
          {shown.map(slot => (
            <SlotRow key={slot.id} slot={slot} />
          ))}
        </ul>
      )}
      {hasMore && (
        <button type="button" className="agor-btn agor-start" disabled={isRunning} onClick={() => load(shown.at(-1)?.id)}>
          {words.slots.earlier}
        </button>
      )}
      <Problem text={problem} />
    </Dialog>
  );
}

function SlotRow({ slot }: { slot: Slot }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const last = slot.runs.at(-1);
  const session = last?.sessionId && shared.sessions.has(last.sessionId) ? last.sessionId : null;
  const said = [
    slot.causedBy,
    slot.missed > 0 ? words.slots.missed(slot.missed) : '',
    slot.runs.length > 1 ? words.slots.attempt(slot.runs.length) : '',
    last?.endedAt ? took(last.startedAt, last.endedAt) : '',
  ].filter(Boolean);
  return (
    <li className="agor-schedule" data-slot={slot.id} data-state={slot.state}>
      <div className="agor-row">
        <SlotMark state={slot.state} />
        <b>{words.slots.number(slot.number)}</b>
        <span className="agor-t2">{words.states[slot.state]}</span>
        <span className="agor-grow" />
        {slot.costUsd > 0 && <span className="agor-xs agor-t3">{money(slot.costUsd, slot.costIsEstimate)}</span>}
        <span className="agor-xs agor-t3">{moment(slot.plannedAt)}</span>
      </div>
      {said.length > 0 && <p className="agor-advice">{visible(said.join(', '))}</p>}
      {(slot.reason ?? slot.waitsFor) && (
        <p className={slot.state === 'failed' ? 'agor-fail-text' : 'agor-advice'}>{visible(slot.reason ?? slot.waitsFor ?? '')}</p>
      )}
      {(session || (LIVE.includes(slot.state) && canSteer(shared))) && (
        <div className="agor-row">
          {session && (
            <button
              type="button"
              className="agor-link"
              onClick={() => {
                commands.closeDialog();
                commands.openSession(session);
              }}
            >
              {words.slots.session}
            </button>
          )}
          {LIVE.includes(slot.state) && canSteer(shared) && (
            <button type="button" className="agor-btn agor-sm" disabled={isRunning} onClick={() => void run(() => requests.cancel(client, slot.id))}>
              {words.slots.cancel}
            </button>
          )}
        </div>
      )}
      <Problem text={problem} />
    </li>
  );
}
