// Where a session can be forked to: its own agent, or another that is told the transcript.
import type { Session } from '../../protocol/generated.js';
import { dialogTexts, texts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { MenuButton } from '../common/Menu.js';
import { visible } from '../common/safe.js';
import { agentLabel, useApp, useShared } from '../context.js';

export function ForkMenu({ session, isGhost = false }: { session: Session; isGhost?: boolean }) {
  const { commands } = useApp();
  const { agents } = useShared();
  const items = [...agents.values()]
    .filter(({ isInstalled }) => isInstalled)
    .sort((a, b) => Number(b.agent.name === session.agent) - Number(a.agent.name === session.agent))
    .map(({ agent }) => ({
      id: agent.name,
      label: agent.name === session.agent ? texts.fork.same(agent.label) : texts.fork.toAgent(agent.label),
      icon: 'fork' as const,
      run: () => commands.openDialog('fork', { sessionId: session.id, agent: agent.name }),
    }));
  return (
    <MenuButton className={`agor-btn${isGhost ? ' agor-ghost' : ''}`} label={texts.fork.to} items={items}>
      {texts.fork.to}
    </MenuButton>
  );
}

/** Where a fork came from, and how it knows what was said there. */
export function Origin({ session }: { session: Session }) {
  const { commands } = useApp();
  const shared = useShared();
  if (session.originId === null) return null;
  const origin = shared.sessions.get(session.originId);
  return (
    <div className="agor-row agor-origin">
      <Icon name="fork" size={12} />
      <span className="agor-nowrap">{dialogTexts.panel.forkedFrom}</span>
      {origin ? (
        <button type="button" className="agor-link-quiet agor-ell" onClick={() => commands.openSession(origin.id)}>
          {visible(origin.title) || texts.panel.untitled} ({agentLabel(shared, origin.agent)})
        </button>
      ) : (
        <code>{session.originId}</code>
      )}
      <span className="agor-nowrap">
        {dialogTexts.panel.forkedBy(visible(session.createdBy.name))}
        {session.fork && dialogTexts.panel.forkKinds[session.fork]}
      </span>
    </div>
  );
}
