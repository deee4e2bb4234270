// A week of all schedules of the board: what ran, and what will, on the clock of whoever looks.
import { useEffect, useState } from 'react';

import type { Calendar } from '../../protocol/generated.js';
import { schedules as requests } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { day, hour, span, weekday, weekOf } from '../../texts/ages.js';
import { Icon, IconButton } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useCommand, useShared } from '../context.js';
import { SlotMark } from './SlotMark.js';

const words = dialogTexts.schedules;
const SHOWN = 12;

export function Week() {
  const { client } = useApp();
  const { scheduleNews } = useShared();
  const { run, problem } = useCommand();
  const [week, setWeek] = useState(0);
  const [found, setFound] = useState<Calendar | null>(null);
  const days = weekOf(Date.now(), week);
  const [first = '', end = ''] = [days[0]?.toISOString(), days[7]?.toISOString()];
  const key = day(first);
  const shown = days[0] && days[6] ? span(days[0], days[6]) : '';
  useEffect(() => {
    let isOver = false;
    void run(async () => {
      const calendar = await requests.calendar(client, first, end);
      if (!isOver) setFound(calendar);
    });
    return () => {
      isOver = true;
    };
  }, [client, key, scheduleNews]);
  const entries = [
    ...(found?.slots ?? []).map(slot => ({ at: slot.plannedAt, name: slot.schedule, state: slot.state as typeof slot.state | null, id: slot.id })),
    ...(found?.upcoming ?? []).map(one => ({ at: one.at, name: one.schedule, state: null, id: `${one.scheduleId} ${one.at}` })),
  ].sort((a, b) => (a.at < b.at ? -1 : 1));
  const today = day(new Date().toISOString());
  return (
    <section aria-label={words.calendar.of(shown)} className="agor-week-box">
      <div className="agor-row">
        <b>{shown}</b>
        <span className="agor-grow" />
        <button type="button" className="agor-btn agor-sm agor-ghost" disabled={week === 0} onClick={() => setWeek(0)}>
          {words.calendar.today}
        </button>
        <span className="agor-flip">
          <IconButton icon="right" label={words.calendar.previous} onClick={() => setWeek(week - 1)} />
        </span>
        <IconButton icon="right" label={words.calendar.next} onClick={() => setWeek(week + 1)} />
      </div>
      <Problem text={problem} />
      <ul className="agor-week">
        {days.slice(0, 7).map(date => {
          const of = day(date.toISOString());
          const here = entries.filter(({ at }) => day(at) === of);
          return (
            <li key={of} data-today={of === today || undefined} aria-label={of}>
              <b className="agor-xs">{weekday(date)}</b>
              {!here.length && <span className="agor-xs agor-t3">{words.calendar.nothing}</span>}
              {here.slice(0, SHOWN).map(({ id, at, name, state }) => (
                <span key={id} className="agor-week-entry" title={visible(`${hour(at)} ${name}`)} data-planned={state === null || undefined}>
                  {state === null ? (
                    <span className="agor-mark" role="img" aria-label={words.calendar.planned}>
                      <Icon name="clock" size={12} />
                    </span>
                  ) : (
                    <SlotMark state={state} />
                  )}
                  <span className="agor-week-time">{hour(at)}</span>
                  <span className="agor-week-name">{visible(name)}</span>
                </span>
              ))}
              {here.length > SHOWN && <span className="agor-xs agor-t3">{words.calendar.more(here.length - SHOWN)}</span>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
