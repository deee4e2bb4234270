// A schedule is made or changed: when, with its next times as the server counts them, where, what, and within which limits.
import { type FormEvent, useEffect, useRef, useState } from 'react';

import type { Schedule, ScheduleMade, Worktree } from '../../protocol/generated.js';
import { newKey, schedules as requests } from '../../session/requests.js';
import { startingRepo } from '../../store/repos.js';
import type { Dialog as Opened } from '../../store/types.js';
import { dialogTexts } from '../../texts';
import { Dialog, Field } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { Pick, Text } from '../common/Inputs.js';
import { Problem } from '../common/Problem.js';
import { useApp, useCommand, useShared } from '../context.js';
import { AgentFields, useAgentChoice } from '../session/AgentChoice.js';
import { namesWith, Template } from '../zone/Template.js';
import { useZones } from '../zone/zones.js';
import { Address, HookDialog } from './Hook.js';
import { type Draft, draftOf, emptyDraft, isHooked, planOf } from './plan.js';
import { type FieldsProps, NextFive, WhenFields } from './When.js';

const words = dialogTexts.schedules;
const own = words.dialog;

interface Props {
  scheduleId: string | undefined;
  back: Opened | undefined;
}

/** One that exists is read first: the list may be older. */
export function ScheduleDialog({ scheduleId, back }: Props) {
  const { client, commands } = useApp();
  const { run, problem } = useCommand();
  const [found, setFound] = useState<Schedule | null>(null);
  const [made, setMade] = useState<ScheduleMade | null>(null);
  useEffect(() => {
    if (scheduleId) void run(async () => setFound(await requests.get(client, scheduleId)));
  }, [client, scheduleId]);
  const close = () => {
    if (back) commands.openDialog(back.name, back);
    else commands.closeDialog();
  };
  if (scheduleId && !found)
    return (
      <Dialog title={words.title} onClose={close}>
        {!problem && (
          <p className="agor-nothing" role="status">
            {words.loading}
          </p>
        )}
        <Problem text={problem} />
      </Dialog>
    );
  // A secret is shown before anything else, since it is not shown again.
  if (made) return <HookDialog made={made} onClose={close} />;
  return <Form known={found ?? undefined} onMade={answer => (answer.secret ? setMade(answer) : close())} onClose={close} />;
}

interface FormProps {
  known: Schedule | undefined;
  onMade: (made: ScheduleMade) => void;
  onClose: () => void;
}

function Form({ known, onMade, onClose }: FormProps) {
  const { client } = useApp();
  const shared = useShared();
  const worktrees = [...shared.worktrees.values()].filter(({ state }) => state === 'ready').sort((a, b) => a.name.localeCompare(b.name));
  const [draft, setDraft] = useState<Draft>(() => {
    const empty = emptyDraft(worktrees[0]?.id ?? '', startingRepo(shared)?.id ?? '', Date.now());
    return known ? draftOf(known, empty) : empty;
  });
  const set = (change: Partial<Draft>) => setDraft(before => ({ ...before, ...change }));
  const choice = useAgentChoice(known?.agent);
  useEffect(() => {
    for (const [id, value] of Object.entries(known?.options ?? {})) choice.pick(id, value);
  }, []);
  const key = useRef(newKey());
  const { run, isRunning, problem } = useCommand();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const plan = planOf(draft, choice, known);
      onMade(known ? await requests.change(client, known.id, plan) : await requests.make(client, plan, key.current));
    });
  };
  const worktree = shared.worktrees.get(draft.worktreeId);
  return (
    <Dialog
      title={known ? words.edit(known.name) : words.new}
      onClose={onClose}
      width={560}
      footer={<DialogFoot act={known ? own.save : own.make} form="agor-schedule-form" isDisabled={isRunning} onClose={onClose} />}
    >
      <form id="agor-schedule-form" className="agor-schedule-form" onSubmit={submit} onChange={() => (key.current = newKey())}>
        <Text label={own.name} value={draft.name} onChange={name => set({ name })} isFirst />
        <WhenFields draft={draft} set={set} />
        <NextFive draft={draft} known={known} />
        {known && isHooked(known.when.kind) && draft.kind === known.when.kind && <Address schedule={known} onMade={onMade} />}
        <WhereFields draft={draft} set={set} worktrees={worktrees} />
        {draft.where === 'zone' ? (
          <p className="agor-advice">{own.zoneSays}</p>
        ) : (
          <>
            <Pick label={own.what} value={draft.what} options={own.whats} onPick={what => set({ what })} />
            {draft.what === 'prompt' && <AgentFields choice={choice} label={own.agent} />}
            <WhatField draft={draft} set={set} worktree={worktree} />
          </>
        )}
        <Policies draft={draft} set={set} isOwner={shared.me?.role === 'owner'} />
        <Problem text={problem} />
      </form>
    </Dialog>
  );
}

function WhereFields({ draft, set, worktrees }: FieldsProps & { worktrees: readonly Worktree[] }) {
  const { repos } = useShared();
  const zones = useZones();
  return (
    <>
      <div className="agor-columns">
        <Pick label={own.where} value={draft.where} options={own.wheres} onPick={where => set({ where })} />
        {draft.where === 'fresh' ? (
          <Pick
            label={own.repo}
            value={draft.repoId}
            options={Object.fromEntries([...repos.values()].map(({ id, slug }) => [id, slug]))}
            onPick={repoId => set({ repoId })}
          />
        ) : (
          <Pick
            label={own.worktree}
            value={draft.worktreeId}
            options={Object.fromEntries(worktrees.map(({ id, name }) => [id, name]))}
            onPick={worktreeId => set({ worktreeId })}
          />
        )}
      </div>
      {draft.where === 'zone' && (
        <Pick
          label={own.zoneTarget}
          value={draft.zoneId}
          options={{ '': '', ...Object.fromEntries(zones.map(({ id, zone }) => [id, zone.name || 'Zone'])) }}
          onPick={zoneId => set({ zoneId })}
        />
      )}
    </>
  );
}

function WhatField({ draft, set, worktree }: FieldsProps & { worktree: Worktree | undefined }) {
  if (draft.what === 'notebook') return <Text label={own.notebook} value={draft.notebook} onChange={notebook => set({ notebook })} isCode />;
  if (draft.what === 'script')
    return (
      <Field label={own.script}>
        {id => (
          <textarea
            id={id}
            className="agor-input agor-mono"
            rows={4}
            spellCheck={false}
            value={draft.script}
            onChange={event => set({ script: event.target.value })}
          />
        )}
      </Field>
    );
  return (
    <Field label={own.prompt}>
      {id => (
        <Template
          id={id}
          value={draft.prompt}
          names={namesWith(worktree?.context)}
          isReadOnly={false}
          hasProblem={false}
          onChange={prompt => set({ prompt })}
          onLeave={() => undefined}
        />
      )}
    </Field>
  );
}

function Policies({ draft, set, isOwner }: FieldsProps & { isOwner: boolean }) {
  return (
    <details className="agor-details">
      <summary>{own.policies}</summary>
      <div className="agor-columns">
        <Pick label={own.overlap} value={draft.overlap} options={own.overlaps} onPick={overlap => set({ overlap })} />
        <Pick label={own.late} value={draft.late} options={own.lates} onPick={late => set({ late })} />
        <Text label={own.retries} value={draft.retries} onChange={retries => set({ retries })} isNumber />
        <Text label={own.limit} value={draft.limit} placeholder={own.none} onChange={limit => set({ limit })} isNumber />
        <Text label={own.budget} value={draft.budget} placeholder={own.none} onChange={budget => set({ budget })} isNumber />
        <Text label={own.day} value={draft.day} placeholder={own.none} onChange={day => set({ day })} isNumber />
      </div>
      {isOwner && (
        <label className="agor-check">
          <input type="checkbox" checked={draft.allow} onChange={event => set({ allow: event.target.checked })} />
          {own.allow}
        </label>
      )}
    </details>
  );
}
