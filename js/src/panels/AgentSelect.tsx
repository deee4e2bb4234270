import { texts } from '../texts.js';
import { useShared } from './context.js';

/** The agents of the catalogue. One that is not installed cannot be chosen, and says how to get it. */
export function AgentSelect({ id, value, onChange }: { id: string; value: string; onChange: (name: string) => void }) {
  const { agents } = useShared();
  return (
    <select id={id} className="agor-select" value={value} onChange={event => onChange(event.target.value)}>
      {[...agents.values()].map(({ agent, isInstalled }) => (
        <option key={agent.name} value={agent.name} disabled={!isInstalled}>
          {isInstalled ? agent.label : texts.session.notInstalled(agent.label)}
        </option>
      ))}
    </select>
  );
}

/** How to get those that are not here. */
export function InstallHints() {
  const { agents } = useShared();
  const missing = [...agents.values()].filter(({ agent, isInstalled }) => !isInstalled && agent.install);
  if (!missing.length) return null;
  return (
    <details className="agor-details">
      <summary>{texts.session.moreAgents(missing.length)}</summary>
      {missing.map(({ agent }) => (
        <p key={agent.name}>
          {agent.label} <code>{agent.install}</code>
        </p>
      ))}
    </details>
  );
}

export function useDefaultAgent(): string {
  const { agents } = useShared();
  const all = [...agents.values()].filter(({ isInstalled }) => isInstalled);
  return (all.find(({ agent }) => !agent.isBuiltin) ?? all[0])?.agent.name ?? '';
}
