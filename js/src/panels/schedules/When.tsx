// When a schedule comes: at times, or because something happened. Each kind has its own fields.
import { useEffect, useState } from 'react';

import type { NextTimes, Schedule } from '../../protocol/generated.js';
import { schedules as requests } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { personZone } from '../../texts/ages.js';
import { Field } from '../common/Dialog.js';
import { Pick, Text } from '../common/Inputs.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp } from '../context.js';
import { useZones } from '../zone/zones.js';
import { type Draft, isHooked, whenOf } from './plan.js';

const own = dialogTexts.schedules.dialog;
const REST_MS = 300;

export interface FieldsProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
}

export function WhenFields({ draft, set }: FieldsProps) {
  return (
    <>
      <Field label={own.when}>
        {id => (
          <select id={id} className="agor-select" value={draft.kind} onChange={event => set({ kind: event.target.value as Draft['kind'] })}>
            {own.groups.map(({ label, kinds }) => (
              <optgroup key={label} label={label}>
                {Object.entries(kinds).map(([kind, text]) => (
                  <option key={kind} value={kind}>
                    {text}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        )}
      </Field>
      <KindFields draft={draft} set={set} />
    </>
  );
}

function KindFields({ draft, set }: FieldsProps) {
  switch (draft.kind) {
    case 'cron':
      return <CronFields draft={draft} set={set} />;
    case 'interval':
      return (
        <div className="agor-columns">
          <Text label={own.every} value={draft.every} onChange={every => set({ every })} isNumber />
          <Pick label={own.unit} value={draft.unit} options={own.units} onPick={unit => set({ unit: String(unit) })} />
        </div>
      );
    case 'once':
      return (
        <Field label={own.at}>
          {id => <input id={id} type="datetime-local" className="agor-input" value={draft.at} onChange={event => set({ at: event.target.value })} />}
        </Field>
      );
    case 'branch_moved':
      return (
        <div className="agor-columns">
          <Text label={own.branch} value={draft.branch} onChange={branch => set({ branch })} isCode />
          <Pick label={own.side} value={draft.side} options={own.sides} onPick={side => set({ side })} />
        </div>
      );
    case 'path_changed':
      return <Text label={own.path} hint={own.pathHint} placeholder="models/**" value={draft.path} onChange={path => set({ path })} isCode />;
    case 'session_finished':
      return (
        <div className="agor-columns">
          <Pick label={own.outcome} value={draft.outcome} options={own.outcomes} onPick={outcome => set({ outcome })} />
          <Text label={own.title} placeholder={own.anyTitle} value={draft.title} onChange={title => set({ title })} />
        </div>
      );
    case 'zone_finished':
      return <ZoneFields draft={draft} set={set} />;
    case 'check_failed':
      return (
        <Text
          label={own.failedBranch}
          placeholder={own.anyBranch}
          hint={own.hooks.check_failed}
          value={draft.failedBranch}
          onChange={failedBranch => set({ failedBranch })}
          isCode
        />
      );
    case 'webhook':
      return <p className="agor-advice">{own.hooks.webhook}</p>;
  }
}

function CronFields({ draft, set }: FieldsProps) {
  const preset = draft.expression in own.presets ? draft.expression : '';
  return (
    <>
      <div className="agor-columns">
        <Pick
          label={own.often}
          value={preset}
          options={own.presets}
          onPick={expression => set({ expression: expression || `${draft.expression} ` })}
        />
        <Text label={own.zone} value={draft.zone} onChange={zone => set({ zone })} />
      </div>
      {preset === '' && (
        <Text label={own.expression} hint={own.expressionHint} value={draft.expression} onChange={expression => set({ expression })} isCode />
      )}
    </>
  );
}

function ZoneFields({ draft, set }: FieldsProps) {
  const zones = useZones();
  const names = Object.fromEntries(zones.map(({ id, zone }) => [id, zone.name || 'Zone']));
  const isGone = draft.finishedZoneId !== '' && !(draft.finishedZoneId in names);
  return (
    <div className="agor-columns">
      <Pick
        label={own.finishedZone}
        value={draft.finishedZoneId}
        options={{ '': own.chooseZone, ...names, ...(isGone ? { [draft.finishedZoneId]: own.goneZone } : {}) }}
        hint={zones.length ? undefined : own.noZones}
        onPick={finishedZoneId => set({ finishedZoneId })}
      />
      <Pick label={own.outcome} value={draft.zoneOutcome} options={own.zoneOutcomes} onPick={zoneOutcome => set({ zoneOutcome })} />
    </div>
  );
}

/** As the server counts them, in the person's own time zone; anew when the typing rests. What waits for something has no times. */
export function NextFive({ draft, known }: { draft: Draft; known: Schedule | undefined }) {
  const { client } = useApp();
  const [found, setFound] = useState<NextTimes | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const isTimed = draft.kind === 'cron' || draft.kind === 'interval' || draft.kind === 'once';
  const when = isHooked(draft.kind) ? null : whenOf(draft, known?.when);
  const asked = JSON.stringify(when);
  useEffect(() => {
    if (!when) {
      setFound(null);
      setProblem(null);
      return;
    }
    let isOver = false;
    const timer = setTimeout(() => {
      requests.preview(client, when, personZone(), 5).then(
        times => {
          if (isOver) return;
          setFound(times);
          setProblem(null);
        },
        error => {
          if (isOver) return;
          setFound(null);
          setProblem(error instanceof Error ? error.message : String(error));
        },
      );
    }, REST_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, asked]);
  if (problem) return <Problem text={visible(problem)} />;
  if (!found || (!isTimed && !found.words)) return null;
  return (
    <div className="agor-next-times" role="status">
      {isTimed && <b>{own.nextFive}</b>}
      {found.words && <span className="agor-t2">{isTimed ? visible(found.words) : own.comes(visible(found.words))}</span>}
      {isTimed && !found.texts.length && <span className="agor-t2">{own.noneNext}</span>}
      {found.texts.length > 0 && (
        <ol>
          {found.texts.map(text => (
            <li key={text}>{visible(text)}</li>
          ))}
        </ol>
      )}
    </div>
  );
}
