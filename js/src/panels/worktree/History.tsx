// Conversations that agents had in this folder before, found in their own files. One becomes a session with its turns.

import { useEffect, useRef, useState } from 'react';
import type { Conversation, Worktree } from '../../protocol/generated.js';
import { conversations, newKey } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { ago } from '../../texts/ages.js';
import { Dialog } from '../common/Dialog.js';
import { AgentTile } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { agentIcon, agentLabel, useApp, useCommand, useNow, useShared } from '../context.js';

const words = dialogTexts.history;

export function HistoryDialog({ worktree }: { worktree: Worktree }) {
  const { client, commands } = useApp();
  const [found, setFound] = useState<readonly Conversation[] | null>(null);
  const { run, isRunning, problem } = useCommand();
  const runs = useRef(run);
  runs.current = run;
  useEffect(() => {
    const load = async () => setFound(await conversations.list(client, worktree.id));
    void runs.current(load);
  }, [client, worktree.id]);
  return (
    <Dialog title={words.title} onClose={() => commands.closeDialog()} width={560}>
      <p className="agor-advice">{words.intro(worktree.path)}</p>
      {!found && isRunning && (
        <p className="agor-nothing" role="status">
          {words.loading}
        </p>
      )}
      {found && !found.length && <p className="agor-nothing">{words.empty}</p>}
      {found && found.length > 0 && (
        <ul className="agor-plain-list">
          {found.map(one => (
            <ConversationRow key={`${one.agent}/${one.agentSessionId}`} conversation={one} worktree={worktree} />
          ))}
        </ul>
      )}
      <Problem text={problem} />
    </Dialog>
  );
}

function ConversationRow({ conversation, worktree }: { conversation: Conversation; worktree: Worktree }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const now = useNow(60_000);
  const key = useRef(newKey());
  const { agent, agentSessionId, sessionId, updatedAt } = conversation;
  const title = visible(conversation.title) || words.untitled;
  const open = (id: string) => {
    commands.closeDialog();
    commands.openSession(id);
  };
  const take = () =>
    void run(async () => {
      const session = await conversations.open(client, worktree.id, agent, agentSessionId, key.current);
      open(session.id);
    });
  const isHere = sessionId !== null && shared.sessions.has(sessionId);
  return (
    <li className="agor-list-row">
      <AgentTile icon={agentIcon(shared, agent)} label={agentLabel(shared, agent)} />
      <div className="agor-grow">
        <div className="agor-ell">{title}</div>
        <div className="agor-advice">
          {[agentLabel(shared, agent), words.prompts(conversation.turns), updatedAt ? ago(updatedAt, now) : ''].filter(Boolean).join(', ')}
        </div>
        <Problem text={problem} />
      </div>
      {isHere ? (
        <button type="button" className="agor-btn agor-sm agor-ghost" onClick={() => open(sessionId)}>
          {words.open}
        </button>
      ) : (
        shared.me?.role === 'owner' && (
          <button type="button" className="agor-btn agor-sm" aria-label={words.importOf(title)} disabled={isRunning} onClick={take}>
            {words.import}
          </button>
        )
      )}
    </li>
  );
}
