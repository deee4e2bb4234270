// Icons, state marks, agent tiles and faces.
import { type CSSProperties, memo } from 'react';

import { type IconName, icons, isIcon } from '../../icons.js';
import type { Person, SessionState, TurnState, WorktreeState } from '../../protocol/generated.js';
import { colorOf, initialsOf } from '../../store/presence.js';
import { texts } from '../../texts.js';

export const Icon = memo(function Icon({ name, size = 16 }: { name: IconName; size?: 12 | 14 | 16 }) {
  return (
    <svg
      className="agor-i"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
      // biome-ignore lint/security/noDangerouslySetInnerHtml: the set is our own constant text, never input
      dangerouslySetInnerHTML={{ __html: icons[name] }}
    />
  );
});

export type MarkState = SessionState | TurnState | WorktreeState;

const MARKS: Record<MarkState, { icon: IconName; tone: string }> = {
  idle: { icon: 'st-idle', tone: 'rest' },
  queued: { icon: 'st-queued', tone: 'rest' },
  starting: { icon: 'st-starting', tone: 'rest' },
  stopping: { icon: 'st-starting', tone: 'rest' },
  creating: { icon: 'st-starting', tone: 'rest' },
  running: { icon: 'st-running', tone: 'run' },
  needs_you: { icon: 'st-needs', tone: 'need' },
  waiting: { icon: 'st-needs', tone: 'need' },
  failed: { icon: 'st-failed', tone: 'fail' },
  interrupted: { icon: 'st-failed', tone: 'fail' },
  parked: { icon: 'st-queued', tone: 'rest' },
  done: { icon: 'st-done', tone: 'done' },
  ready: { icon: 'st-idle', tone: 'rest' },
  cancelled: { icon: 'st-cancelled', tone: 'rest' },
  archived: { icon: 'st-archived', tone: 'rest' },
  missing: { icon: 'st-missing', tone: 'rest' },
};

/** `label`: what is said of it where it is more than the name of the state. */
export const Mark = memo(function Mark({ state, size = 16, label }: { state: MarkState; size?: 12 | 14 | 16; label?: string }) {
  const { icon, tone } = MARKS[state];
  return (
    <span className={`agor-mark agor-tone-${tone}`} role="img" aria-label={label ?? texts.states[state]} title={label}>
      <Icon name={icon} size={size} />
    </span>
  );
});

/** Label and icon come as data; an icon that is not in the set becomes the neutral one. */
export function AgentTile({ icon, label }: { icon: string | undefined; label: string }) {
  return (
    <span className="agor-agent-tile" role="img" aria-label={label}>
      <Icon name={icon && isIcon(icon) ? icon : 'ag-agent'} size={12} />
    </span>
  );
}

export function Face({ person, isMe = false }: { person: Person; isMe?: boolean }) {
  return (
    <span
      className={`agor-face${isMe ? ' agor-me' : ''}`}
      role="img"
      aria-label={person.name}
      title={person.name}
      style={{ '--c': colorOf(person) } as CSSProperties}
    >
      {initialsOf(person)}
    </span>
  );
}

/** A small button that is only an icon; its label is spoken and shown on hover. */
export function IconButton(props: { icon: IconName; label: string; onClick: () => void; size?: 14 | 16; isDisabled?: boolean }) {
  const { icon, label, onClick, size = 16, isDisabled = false } = props;
  return (
    <button type="button" className="agor-ib agor-sm" disabled={isDisabled} onClick={onClick} aria-label={label} title={label}>
      <Icon name={icon} size={size} />
    </button>
  );
}
