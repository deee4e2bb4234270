// A fork of a session: a second one that begins with what this one knows.
import { type FormEvent, useRef } from 'react';

import type { Session } from '../../protocol/generated.js';
import { newKey } from '../../session/requests.js';
import { plain } from '../../store/plain.js';
import { dialogTexts, texts } from '../../texts.js';
import { Dialog, Field, Problem } from '../common/Dialog.js';
import { useDraft } from '../common/drafts.js';
import { useApp, useCommand } from '../context.js';
import { submitKeys } from '../worktree/WorktreeDialog.js';
import { AgentFields, useAgentChoice } from './AgentChoice.js';
import { useTextOnly } from './attachments.js';

const words = dialogTexts.fork;

interface Props {
  session: Session;
  agent: string | undefined;
  text: string | undefined;
}

export function ForkDialog({ session, agent, text }: Props) {
  const { commands } = useApp();
  const choice = useAgentChoice(agent ?? session.agent, session);
  const draft = useDraft(`fork ${session.id}`, { prompt: text ?? '' });
  const { prompt } = draft.values;
  const { run, isRunning, problem } = useCommand();
  const textOnly = useTextOnly();
  const key = useRef(newKey());
  const label = choice.status?.agent.label ?? '';
  const isSame = choice.agent === session.agent;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await run(async () => {
      await choice.keep();
      const request = { agent: choice.agent, options: choice.options, ...(prompt.trim() ? { prompt } : {}) };
      const fork = await commands.fork(session.id, request, key.current);
      draft.forget();
      commands.closeDialog();
      commands.openSession(fork.id, { focusPrompt: !prompt.trim() });
    });
  };
  const cancel = () => {
    draft.forget();
    commands.closeDialog();
  };
  const manage = () =>
    commands.openDialog('agents', {
      agent: choice.agent,
      back: { name: 'fork', sessionId: session.id, agent: choice.agent, text: prompt },
    });
  return (
    <Dialog
      title={words.title(plain(session.title) || texts.panel.untitled)}
      onClose={() => commands.closeDialog()}
      width={520}
      footer={
        <>
          <span className="agor-grow agor-xs agor-t3">
            {isSame && choice.status?.agent.canFork ? words.native(label) : words.primed(label)} {words.sameTree}
          </span>
          <button type="button" className="agor-btn" onClick={cancel}>
            {texts.cancel}
          </button>
          <button type="submit" form="agor-fork-form" className="agor-btn agor-primary" disabled={isRunning || !choice.agent}>
            {isSame ? words.create : texts.fork.toAgent(label)}
          </button>
        </>
      }
    >
      <form id="agor-fork-form" onSubmit={event => void submit(event)} onKeyDown={submitKeys} onChange={() => (key.current = newKey())}>
        <Field label={words.prompt} hint={words.promptHint}>
          {id => (
            <textarea
              id={id}
              data-autofocus
              className="agor-input"
              rows={4}
              value={prompt}
              onChange={event => draft.set({ prompt: event.target.value })}
              onPaste={textOnly.paste}
            />
          )}
        </Field>
        <AgentFields choice={choice} label={dialogTexts.session.agent} onManage={manage} />
        <Problem text={textOnly.refusal ?? problem} />
      </form>
    </Dialog>
  );
}
