// A fork of a session: a second one that begins with what this one knew after one of its turns. It works in the same worktree, or in one
// of its own; or it answers one question and folds away.
import { useEffect, useRef, useState } from 'react';

import type { Session, Turn } from '../../protocol/generated.js';
import { newKey, turns as requests } from '../../session/requests.js';
import { plain } from '../../store/plain.js';
import type { BoardState, Dialog } from '../../store/types.js';
import { dialogTexts, texts } from '../../texts';
import { useDraft } from '../common/drafts.js';
import { Pick, Segments, Switch, Text } from '../common/Inputs.js';
import { headline } from '../common/words.js';
import { useApp, useShared } from '../context.js';
import { useAgentChoice } from './AgentChoice.js';
import { useTextOnly } from './attachments.js';
import { followSide } from './SideQuestions.js';
import { StartDialog } from './StartDialog.js';

const words = dialogTexts.fork;
const MOST_LETTERS = 60;

interface Props {
  session: Session;
  /** The agent, the turn and the text that were meant, and whether a side question was. */
  asked: Dialog;
}

export function ForkDialog({ session, asked }: Props) {
  const { commands } = useApp();
  const shared = useShared();
  const worktree = shared.worktrees.get(session.worktreeId);
  const choice = useAgentChoice(asked.agent ?? session.agent, session);
  const draft = useDraft(`fork ${session.id}`, { prompt: asked.text ?? '' });
  const { prompt } = draft.values;
  const [isSide, setSide] = useState(asked.isSide ?? false);
  const [turnId, setTurnId] = useState(asked.turnId ?? '');
  const [place, setPlace] = useState<'same' | 'new'>('same');
  const [name, setName] = useState(() => freeName(worktree?.name ?? 'fork', shared));
  const [carries, setCarries] = useState(true);
  const turns = useTurns(session);
  const textOnly = useTextOnly();
  const key = useRef(newKey());
  const label = choice.status?.agent.label ?? '';
  const isSame = choice.agent === session.agent;
  const isNew = place === 'new' && !isSide;
  const turn = turns.find(({ id }) => id === turnId);
  const start = async () => {
    if (isSide && !prompt.trim()) throw new Error(words.needsQuestion);
    if (isNew && !name.trim()) throw new Error(words.needsName);
    await choice.keep();
    const request = {
      agent: choice.agent,
      options: choice.options,
      ...(prompt.trim() ? { prompt } : {}),
      ...(turnId ? { turn: turnId } : {}),
      ...(isNew ? { worktree: name.trim(), carry: carries } : {}),
      ...(isSide ? { isSide } : {}),
    };
    const fork = await commands.fork(session.id, request, key.current);
    commands.closeDialog();
    // Its answer comes below the transcript that it was asked about.
    if (isSide) {
      followSide(fork.id);
      commands.openSession(session.id);
    } else commands.openSession(fork.id, { focusPrompt: !prompt.trim() });
  };
  const back: Dialog = { ...asked, name: 'fork', sessionId: session.id, agent: choice.agent, text: prompt, turnId, isSide };
  const knows = isSame && choice.status?.agent.capabilities.canFork ? words.native(label) : words.primed(label);
  return (
    <StartDialog
      title={(isSide ? words.sideTitle : words.title)(plain(session.title) || texts.panel.untitled)}
      choice={choice}
      onManage={() => commands.openDialog('agents', { agent: choice.agent, back })}
      label={isSide ? words.question : words.prompt}
      hint={isSide ? words.questionHint : words.promptHint}
      draft={draft}
      onPaste={textOnly.paste}
      act={isSide ? words.ask(label) : isSame ? words.create : texts.fork.toAgent(label)}
      note={<span className="agor-grow agor-xs agor-t3">{knows}</span>}
      problem={textOnly.refusal}
      onChange={() => (key.current = newKey())}
      start={start}
    >
      <Pick
        label={words.turn}
        value={turnId}
        options={{ '': words.lastTurn, ...Object.fromEntries(turns.map(one => [one.id, titleOf(one)])) }}
        hint={turn && isNew ? words.commitOf(turn.commitAfter ?? turn.commitBefore) : undefined}
        onPick={setTurnId}
      />
      {!isSide && (
        <Segments<'same' | 'new'>
          label={words.where}
          value={place}
          options={words.places}
          hint={place === 'same' ? words.sameTree : turn ? words.fromTurn(turn.number) : words.fromNow}
          onPick={setPlace}
        />
      )}
      {isNew && (
        <>
          <Text label={words.name} value={name} onChange={setName} />
          <label className="agor-check">
            <input type="checkbox" checked={carries} onChange={event => setCarries(event.target.checked)} />
            {turn ? words.carryOf(turn.number) : words.carry}
          </label>
        </>
      )}
      <Switch label={words.side} hint={words.sideHint} isOn={isSide} onChange={setSide} />
    </StartDialog>
  );
}

/** Those that a fork can begin at, the newest first. */
function useTurns(session: Session): readonly Turn[] {
  const { client } = useApp();
  const [found, setFound] = useState<readonly Turn[]>([]);
  useEffect(() => {
    let isGone = false;
    // Without them it is forked as it is now.
    requests.of(client, session.id).then(
      turns => !isGone && setFound(turns.filter(canForkAt).reverse()),
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [client, session.id, session.turnCount]);
  return found;
}

export const canForkAt = ({ startedAt, endedAt }: Turn): boolean => startedAt !== null && endedAt !== null;

function titleOf(turn: Turn): string {
  const title = headline(turn.prompt);
  return words.turnOf(turn.number, title.length > MOST_LETTERS ? `${title.slice(0, MOST_LETTERS)}…` : title);
}

/** “fix-2” beside “fix”. */
function freeName(of: string, { worktrees }: BoardState): string {
  const taken = new Set([...worktrees.values()].map(({ name }) => name));
  for (let number = 2; ; number += 1) if (!taken.has(`${of}-${number}`)) return `${of}-${number}`;
}
