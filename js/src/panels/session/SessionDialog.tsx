// A new session in a worktree: its agent, its first prompt, and what it may cost.
import type { FormEvent } from 'react';

import type { Worktree } from '../../protocol/generated.js';
import { dialogTexts, texts } from '../../texts.js';
import { Dialog, Field, Problem } from '../common/Dialog.js';
import { useDraft } from '../common/drafts.js';
import { useApp, useCommand } from '../context.js';
import { submitKeys } from '../worktree/WorktreeDialog.js';
import { AgentFields, useAgentChoice } from './AgentChoice.js';
import { AttachedDrafts } from './Attached.js';
import { useAttachments } from './attachments.js';

interface Props {
  worktree: Worktree;
  agent: string | undefined;
  text: string | undefined;
}

export function SessionDialog({ worktree, agent, text }: Props) {
  const { commands } = useApp();
  const choice = useAgentChoice(agent);
  const draft = useDraft(`session ${worktree.id}`, { prompt: text ?? '' });
  const { prompt } = draft.values;
  const { run, isRunning, problem } = useCommand();
  const refusal = choice.status?.agent.takesImages === false ? dialogTexts.attach.refused(choice.status.agent.label) : null;
  const attached = useAttachments(`new ${worktree.id}`, worktree.id, refusal, choice.renew);
  const label = choice.status?.agent.label ?? '';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await run(async () => {
      const session = await choice.start(worktree.id, prompt || (attached.ids.length ? dialogTexts.attach.alone : ''), attached.ids);
      attached.clear();
      draft.forget();
      commands.closeDialog();
      commands.openSession(session.id, { focusPrompt: !prompt.trim() });
    });
  };
  const cancel = () => {
    draft.forget();
    commands.closeDialog();
  };
  const manage = () =>
    commands.openDialog('agents', {
      agent: choice.agent,
      back: { name: 'session', worktreeId: worktree.id, agent: choice.agent, text: prompt },
    });
  return (
    <Dialog
      title={dialogTexts.session.new(worktree.name)}
      onClose={() => commands.closeDialog()}
      width={520}
      footer={
        <>
          <span className="agor-grow" />
          <button type="button" className="agor-btn" onClick={cancel}>
            {texts.cancel}
          </button>
          <button type="submit" form="agor-session-form" className="agor-btn agor-primary" disabled={isRunning || !choice.agent || attached.isBusy}>
            {prompt.trim() ? dialogTexts.session.prompt(label) : dialogTexts.session.create}
          </button>
        </>
      }
    >
      <form id="agor-session-form" onSubmit={event => void submit(event)} onKeyDown={submitKeys} onChange={choice.renew}>
        <AgentFields choice={choice} label={dialogTexts.session.agent} onManage={manage} hasBudget />
        <Field label={dialogTexts.session.firstPrompt} hint={dialogTexts.session.promptHint}>
          {id => (
            <textarea
              id={id}
              data-autofocus
              className="agor-input"
              rows={5}
              value={prompt}
              onChange={event => draft.set({ prompt: event.target.value })}
              onPaste={attached.paste}
              onDrop={attached.drop}
              onDragOver={attached.dragOver}
            />
          )}
        </Field>
        <AttachedDrafts list={attached.list} onRemove={attached.remove} />
        <Problem text={attached.problem ?? problem} />
      </form>
    </Dialog>
  );
}
