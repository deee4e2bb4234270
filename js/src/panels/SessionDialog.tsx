// A new session in a worktree: its agent, its first prompt, and what it may cost.
import { type FormEvent, useRef, useState } from 'react';

import type { Budget, Worktree } from '../protocol/generated.js';
import { dialogTexts, texts } from '../texts.js';
import { newKey } from '../transport/http.js';
import { AgentFields, useAgentChoice } from './AgentChoice.js';
import { useApp, useCommand, useShared } from './context.js';
import { Dialog, Field, Problem } from './Dialog.js';
import { submitKeys } from './WorktreeDialog.js';

interface Props {
  worktree: Worktree;
  agent: string | undefined;
  text: string | undefined;
}

export function SessionDialog({ worktree, agent, text }: Props) {
  const { client, commands } = useApp();
  const shared = useShared();
  const choice = useAgentChoice(agent);
  const [prompt, setPrompt] = useState(text ?? '');
  const [budget, setBudget] = useState('');
  const { run, isRunning, problem } = useCommand();
  const keys = useRef({ create: newKey(), prompt: newKey() });
  const label = choice.status?.agent.label ?? '';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await run(async () => {
      const hardUsd = budget.trim() ? Number(budget) : null;
      if (hardUsd !== null && !(hardUsd > 0)) throw new Error(dialogTexts.choice.badBudget);
      await choice.keep();
      const first = prompt.trim() ? { prompt } : {};
      const request = { worktreeId: worktree.id, agent: choice.agent, options: choice.options };
      // The budget has to be there before anything is spent.
      const session = await commands.createSession(hardUsd === null ? { ...request, ...first } : request, keys.current.create);
      if (hardUsd !== null) {
        await client.http.post<Budget>('budgets', { scope: 'session', subject: session.id, hardUsd });
        if (prompt.trim()) await commands.prompt(session.id, prompt, keys.current.prompt);
      }
      commands.closeDialog();
      commands.openSession(session.id, { focusPrompt: !prompt.trim() });
    });
  };
  const manage = () =>
    commands.openDialog('agents', {
      agent: choice.agent,
      back: { name: 'session', worktreeId: worktree.id, agent: choice.agent, text: prompt },
    });
  return (
    <Dialog
      title={texts.session.new(worktree.name)}
      onClose={() => commands.closeDialog()}
      width={520}
      footer={
        <>
          <span className="agor-grow" />
          <button type="button" className="agor-btn" onClick={() => commands.closeDialog()}>
            {texts.cancel}
          </button>
          <button type="submit" form="agor-session-form" className="agor-btn agor-primary" disabled={isRunning || !choice.agent}>
            {prompt.trim() ? texts.session.prompt(label) : texts.session.create}
          </button>
        </>
      }
    >
      <form
        id="agor-session-form"
        onSubmit={event => void submit(event)}
        onKeyDown={submitKeys}
        onChange={() => (keys.current = { create: newKey(), prompt: newKey() })}
      >
        <AgentFields choice={choice} label={texts.session.agent} onManage={manage}>
          {shared.me?.role === 'owner' && (
            <Field label={dialogTexts.choice.budget} hint={budget ? dialogTexts.choice.budgetHint : undefined}>
              {id => (
                <input
                  id={id}
                  className="agor-input"
                  inputMode="decimal"
                  value={budget}
                  placeholder={dialogTexts.choice.none}
                  autoComplete="off"
                  onChange={event => setBudget(event.target.value)}
                />
              )}
            </Field>
          )}
        </AgentFields>
        <Field label={texts.session.firstPrompt} hint={texts.session.promptHint}>
          {id => (
            <textarea
              id={id}
              data-autofocus
              className="agor-input"
              rows={5}
              value={prompt}
              onChange={event => setPrompt(event.target.value)}
            />
          )}
        </Field>
        <Problem text={problem} />
      </form>
    </Dialog>
  );
}
