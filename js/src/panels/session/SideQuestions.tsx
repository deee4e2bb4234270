// Questions that were asked beside a session: each with its answer, until it is folded away.
import { useEffect, useState, useSyncExternalStore } from 'react';

import type { Session } from '../../protocol/generated.js';
import { openFeed, type TranscriptFeed } from '../../session/transcript/feed.js';
import { plain } from '../../store/plain.js';
import { sessionWords } from '../../store/standing.js';
import { dialogTexts, texts } from '../../texts';
import { AgentTile, Icon, IconButton, Mark } from '../common/Icon.js';
import { visible } from '../common/safe.js';
import { agentIcon, agentLabel, useApp, useShared } from '../context.js';
import { Markdown } from '../transcript/Markdown.js';

const words = dialogTexts.fork;
/** In this page, also when the panel is opened again: what was asked here or seen at work here, and what of it was folded away. */
const followed = new Set<string>();
const foldedAway = new Set<string>();
const AT_WORK = new Set<Session['state']>(['queued', 'starting', 'running', 'needs_you', 'stopping', 'parked']);

/** Its answer is shown, however soon it comes. */
export const followSide = (id: string): void => void followed.add(id);

/** An answered one is archived: the page knows of it as long as it has seen it, so that its answer is read once. */
export function SideQuestions({ session }: { session: Session }) {
  const { sessions } = useShared();
  const [, setFolds] = useState(0);
  const sides = [...sessions.values()].filter(one => one.isSide && one.originId === session.id);
  for (const one of sides) if (AT_WORK.has(one.state)) followSide(one.id);
  const found = sides.filter(({ id }) => followed.has(id) && !foldedAway.has(id));
  const fold = (id: string) => {
    foldedAway.add(id);
    setFolds(count => count + 1);
  };
  return (
    <>
      {found.map(one => (
        <SideQuestion key={one.id} side={one} onFold={() => fold(one.id)} />
      ))}
    </>
  );
}

function SideQuestion({ side, onFold }: { side: Session; onFold: () => void }) {
  const { commands } = useApp();
  const shared = useShared();
  const [isOpen, setOpen] = useState(true);
  const label = agentLabel(shared, side.agent);
  const isOver = side.archivedAt !== null;
  const question = visible(plain(side.title)) || texts.panel.untitled;
  return (
    <section className="agor-side" aria-label={`${words.sideOf(label)}: ${question}`} data-side={side.state}>
      <div className="agor-row">
        <button type="button" className="agor-fold agor-grow" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? 'down' : 'right'} size={12} />
          <AgentTile icon={agentIcon(shared, side.agent)} label={label} />
          <span className="agor-xs agor-t3">{words.side}</span>
          <span className="agor-ell agor-side-question">{question}</span>
          <Mark state={side.state} label={sessionWords(side, shared)} size={14} />
        </button>
        <IconButton icon="expand" label={words.openIt} size={14} onClick={() => commands.openSession(side.id)} />
        <IconButton icon="close" label={words.fold} size={14} onClick={onFold} />
      </div>
      {isOpen && <Answer side={side} isOver={isOver} />}
    </section>
  );
}

/** What it said last; the rest is in its own transcript. */
function Answer({ side, isOver }: { side: Session; isOver: boolean }) {
  const { client } = useApp();
  const [feed, setFeed] = useState<TranscriptFeed | null>(null);
  useEffect(() => {
    const held = client.holdFeed(side.id, openFeed);
    setFeed(held.feed);
    return held.release;
  }, [client, side.id]);
  return feed ? <Said feed={feed} side={side} isOver={isOver} /> : null;
}

function Said({ feed, side, isOver }: { feed: TranscriptFeed; side: Session; isOver: boolean }) {
  const { commands } = useApp();
  const state = useSyncExternalStore(feed.subscribe, feed.getState);
  const items = state.blocks.at(-1)?.items ?? [];
  const said = items.flatMap(item => (item.kind === 'text' ? [item] : []));
  const error = items.findLast(item => item.kind === 'error');
  if (side.state === 'needs_you')
    return (
      <p className="agor-row agor-side-note">
        <span className="agor-need-text">{words.asks}</span>
        <button type="button" className="agor-link" onClick={() => commands.openSession(side.id)}>
          {words.openIt}
        </button>
      </p>
    );
  if (error?.kind === 'error') return <p className="agor-side-note agor-fail-text">{visible(error.text)}</p>;
  const isEnded = isOver || side.state === 'failed' || side.state === 'cancelled' || side.state === 'done';
  if (!said.length)
    return (
      <p className="agor-side-note agor-t3" role="status">
        {isEnded && !state.isLoading ? words.noAnswer : words.answering}
      </p>
    );
  return (
    <div className="agor-side-answer" role="status" tabIndex={0}>
      {said.map(item => (
        <Markdown key={item.key} text={item.text} isStreaming={!isEnded} />
      ))}
    </div>
  );
}
