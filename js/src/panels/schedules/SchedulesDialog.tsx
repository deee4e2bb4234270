// The schedules of the board: when each comes next, how it last went, and a week of all of them.
import { useEffect, useState } from 'react';

import type { NextTimes, Schedule, Slot } from '../../protocol/generated.js';
import { schedules as requests } from '../../session/requests.js';
import { dialogTexts, texts } from '../../texts';
import { ago, personZone } from '../../texts/ages.js';
import { Dialog } from '../common/Dialog.js';
import { Icon, IconButton } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { canSteer, useApp, useCommand, useNow, useShared } from '../context.js';
import { SlotMark } from './SlotMark.js';
import { Week } from './Week.js';

const words = dialogTexts.schedules;

export function SchedulesDialog() {
  const { client, commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const [found, setFound] = useState<readonly Schedule[] | null>(null);
  const [view, setView] = useState<'list' | 'week'>('list');
  useEffect(() => void run(async () => setFound(await requests.list(client))), [client, shared.scheduleNews]);
  return (
    <Dialog title={words.title} onClose={() => commands.closeDialog()} width={view === 'week' ? 960 : 760}>
      <div className="agor-row">
        <div className="agor-segmented" role="group" aria-label={words.view}>
          {(['list', 'week'] as const).map(one => (
            <button key={one} type="button" aria-pressed={view === one} onClick={() => setView(one)}>
              {words[one]}
            </button>
          ))}
        </div>
        <span className="agor-grow" />
        {canSteer(shared) && (
          <button
            type="button"
            className="agor-btn agor-sm agor-primary"
            onClick={() => commands.openDialog('schedule', { back: { name: 'schedules' } })}
          >
            <Icon name="plus" size={14} />
            {words.new}
          </button>
        )}
      </div>
      {!found && isRunning && (
        <p className="agor-nothing" role="status">
          {words.loading}
        </p>
      )}
      <Problem text={problem} />
      {view === 'week' && <Week />}
      {view === 'list' && found && !found.length && <p className="agor-nothing">{words.empty}</p>}
      {view === 'list' && found && found.length > 0 && (
        <ul className="agor-plain-list" aria-label={words.title}>
          {found.map(schedule => (
            <ScheduleRow key={schedule.id} schedule={schedule} />
          ))}
        </ul>
      )}
    </Dialog>
  );
}

/** When it comes next, and its last slot. Asked for again when it has changed. */
function useFacts(schedule: Schedule): { next: NextTimes | null; last: Slot | null | undefined } {
  const { client } = useApp();
  const { scheduleNews } = useShared();
  const [next, setNext] = useState<NextTimes | null>(null);
  const [last, setLast] = useState<Slot | null | undefined>(undefined);
  useEffect(() => {
    let isGone = false;
    // What is shown stays; the list says what went wrong.
    const pass = () => undefined;
    requests.next(client, schedule.id, personZone()).then(times => !isGone && setNext(times), pass);
    requests.slots(client, schedule.id, 1).then(slots => !isGone && setLast(slots[0] ?? null), pass);
    return () => {
      isGone = true;
    };
  }, [client, schedule.id, schedule.updatedAt, scheduleNews]);
  return { next, last };
}

/** The server says it within a sentence. */
const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

function ScheduleRow({ schedule }: { schedule: Schedule }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const now = useNow(30_000);
  const { next, last } = useFacts(schedule);
  const { run, isRunning, problem } = useCommand();
  const [asksRemove, setAsksRemove] = useState(false);
  const { id, name, isPaused, isOver, needsYes, trouble } = schedule;
  const back = { name: 'schedules' } as const;
  const act = (what: Parameters<typeof requests.act>[2]) => void run(() => requests.act(client, id, what));
  const isTimed = schedule.when.kind === 'cron' || schedule.when.kind === 'interval' || schedule.when.kind === 'once';
  const state = needsYes ? '' : isOver ? words.over : isPaused ? words.paused : isTimed ? next && words.nextAt(next.texts[0]) : words.waits;
  return (
    <li className="agor-schedule" data-schedule={id}>
      <div className="agor-row">
        <b className="agor-ell agor-grow" title={visible(name)}>
          {visible(name)}
        </b>
        {canSteer(shared) && !needsYes && (
          <>
            <button
              type="button"
              className="agor-btn agor-sm"
              disabled={isRunning}
              aria-label={words.runNow(name)}
              onClick={() => void run(() => requests.act(client, id, 'run')).then(isDone => isDone && commands.toast({ text: words.started(name) }))}
            >
              {words.run}
            </button>
            {!isOver && (
              <IconButton
                icon={isPaused ? 'play' : 'pause'}
                label={isPaused ? words.resume(name) : words.pause(name)}
                isDisabled={isRunning}
                onClick={() => act(isPaused ? 'resume' : 'pause')}
              />
            )}
          </>
        )}
        <IconButton icon="list" label={words.history(name)} onClick={() => commands.openDialog('slots', { scheduleId: id, text: name, back })} />
        {canSteer(shared) && (
          <>
            <IconButton icon="pencil" label={words.editNow(name)} onClick={() => commands.openDialog('schedule', { scheduleId: id, back })} />
            <IconButton icon="trash" label={words.remove(name)} isDisabled={isRunning} onClick={() => setAsksRemove(true)} />
          </>
        )}
      </div>
      {next?.words && <p className="agor-t2">{sentence(visible(next.words))}</p>}
      <div className="agor-schedule-facts">
        {state && <span>{visible(state)}</span>}
        {last && (
          <span className="agor-row">
            <SlotMark state={last.state} />
            {words.last(words.states[last.state], ago(last.endedAt ?? last.plannedAt, now))}
          </span>
        )}
        {last === null && <span>{words.neverRan}</span>}
      </div>
      {last?.reason && (last.state === 'failed' || last.state === 'skipped') && <p className="agor-advice">{visible(last.reason)}</p>}
      {trouble && <p className="agor-fail-text">{visible(trouble)}</p>}
      {needsYes && (
        <div className="agor-conflict">
          <p>{words.needsYes}</p>
          {canSteer(shared) && (
            <div className="agor-row">
              <button type="button" className="agor-btn agor-sm" disabled={isRunning} onClick={() => act('approve')}>
                {words.yes}
              </button>
              <button type="button" className="agor-btn agor-sm agor-ghost" disabled={isRunning} onClick={() => act('reject')}>
                {words.no}
              </button>
            </div>
          )}
        </div>
      )}
      {asksRemove && (
        <div className="agor-conflict" role="alertdialog" aria-label={words.remove(name)}>
          <p>{words.removeAsk(visible(name))}</p>
          <div className="agor-row">
            <button
              type="button"
              className="agor-btn agor-sm agor-danger"
              disabled={isRunning}
              onClick={() => void run(() => requests.remove(client, id))}
            >
              {words.removeNow}
            </button>
            <button type="button" className="agor-btn agor-sm" onClick={() => setAsksRemove(false)}>
              {texts.cancel}
            </button>
          </div>
        </div>
      )}
      <Problem text={problem} />
    </li>
  );
}
