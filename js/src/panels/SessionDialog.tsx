import { type FormEvent, useRef, useState } from 'react';

import { texts } from '../texts.js';
import { newKey } from '../transport/http.js';
import { AgentSelect, InstallHints, useDefaultAgent } from './AgentSelect.js';
import { agentLabel, useApp, useCommand, useShared } from './context.js';
import { Dialog, Field, Problem } from './Dialog.js';
import { submitKeys } from './WorktreeDialog.js';

export function SessionDialog({ worktreeId }: { worktreeId: string }) {
  const { commands } = useApp();
  const shared = useShared();
  const first = useDefaultAgent();
  const [agent, setAgent] = useState(first);
  const [prompt, setPrompt] = useState('');
  const { run, isRunning, problem } = useCommand();
  const key = useRef(newKey());
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await run(async () => {
      const session = await commands.createSession(
        { worktreeId, agent: agent || first, ...(prompt.trim() ? { prompt } : {}) },
        key.current,
      );
      commands.closeDialog();
      commands.openSession(session.id, { focusPrompt: !prompt.trim() });
    });
  };
  return (
    <Dialog
      title={texts.session.new(shared.worktrees.get(worktreeId)?.name ?? '')}
      onClose={() => commands.closeDialog()}
      footer={
        <>
          <span className="agor-grow" />
          <button type="button" className="agor-btn" onClick={() => commands.closeDialog()}>
            {texts.cancel}
          </button>
          <button type="submit" form="agor-session-form" className="agor-btn agor-primary" disabled={isRunning}>
            {prompt.trim() ? texts.session.prompt(agentLabel(shared, agent || first)) : texts.session.create}
          </button>
        </>
      }
    >
      <form id="agor-session-form" onSubmit={event => void submit(event)} onKeyDown={submitKeys} onChange={() => (key.current = newKey())}>
        <Field label={texts.session.agent}>{id => <AgentSelect id={id} value={agent || first} onChange={setAgent} />}</Field>
        <InstallHints />
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
