// What starts a session, new or forked: its agent, its prompt, and what is asked beside them.
import { type ClipboardEvent, type DragEvent, type FormEvent, type ReactNode, useId } from 'react';

import { dialogTexts } from '../../texts';
import { Dialog, Field } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { Problem } from '../common/Problem.js';
import { useApp, useCommand } from '../context.js';
import { submitKeys } from '../worktree/WorktreeDialog.js';
import { type AgentChoice, AgentFields } from './AgentChoice.js';

interface Props {
  title: string;
  choice: AgentChoice;
  hasBudget?: boolean;
  /** Leads to the agents, and back. */
  onManage: () => void;
  label: string;
  hint: string;
  /** What is kept of what is typed. */
  draft: { readonly values: { readonly prompt: string }; readonly set: (change: { prompt: string }) => void; readonly forget: () => void };
  onPaste?: ((event: ClipboardEvent) => void) | undefined;
  onDrop?: ((event: DragEvent) => void) | undefined;
  onDragOver?: ((event: DragEvent) => void) | undefined;
  /** Below the prompt. */
  children?: ReactNode;
  act: string;
  note?: ReactNode;
  problem: string | null;
  isBlocked?: boolean;
  /** What was asked for has changed. */
  onChange: () => void;
  /** Starts it. What it raises is said in the form. */
  start: () => Promise<void>;
}

export function StartDialog({
  title,
  choice,
  hasBudget = false,
  onManage,
  label,
  hint,
  draft,
  children,
  act,
  note,
  isBlocked = false,
  ...rest
}: Props) {
  const { commands } = useApp();
  const { run, isRunning, problem } = useCommand();
  const form = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isRunning || isBlocked) return;
    void run(async () => {
      await rest.start();
      draft.forget();
    });
  };
  const cancel = () => {
    draft.forget();
    commands.closeDialog();
  };
  return (
    <Dialog
      title={title}
      onClose={() => commands.closeDialog()}
      width={520}
      footer={<DialogFoot note={note} act={act} form={form} isDisabled={isRunning || isBlocked || !choice.agent} onClose={cancel} />}
    >
      <form id={form} onSubmit={submit} onKeyDown={submitKeys} onChange={rest.onChange}>
        <AgentFields choice={choice} label={dialogTexts.session.agent} onManage={onManage} hasBudget={hasBudget} />
        <Field label={label} hint={hint}>
          {id => (
            <textarea
              id={id}
              data-autofocus
              className="agor-input"
              rows={5}
              value={draft.values.prompt}
              onChange={event => draft.set({ prompt: event.target.value })}
              onPaste={rest.onPaste}
              onDrop={rest.onDrop}
              onDragOver={rest.onDragOver}
            />
          )}
        </Field>
        {children}
        <Problem text={rest.problem ?? problem} />
      </form>
    </Dialog>
  );
}
