// Icons, state marks, agent tiles and faces.
import { type CSSProperties, memo } from 'react';

import { type IconName, icons, isIcon } from '../../icons.js';
import type { Person } from '../../protocol/generated.js';
import { MARKS, type MarkState } from '../../store/marks.js';
import { colorOf, initialsOf } from '../../store/presence.js';
import { texts } from '../../texts';

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

export type { MarkState };

const TONES = {
  idle: 'rest',
  queued: 'rest',
  starting: 'rest',
  running: 'run',
  needs: 'need',
  failed: 'fail',
  done: 'done',
  cancelled: 'rest',
  archived: 'rest',
  missing: 'rest',
} as const satisfies Record<(typeof MARKS)[MarkState], string>;

/** `label`: what is said of it where it is more than the name of the state. */
export const Mark = memo(function Mark({ state, size = 16, label }: { state: MarkState; size?: 12 | 14 | 16; label?: string }) {
  const mark = MARKS[state];
  return (
    <span className={`agor-mark agor-tone-${TONES[mark]}`} role="img" aria-label={label ?? texts.states[state]} title={label}>
      <Icon name={`st-${mark}`} size={size} />
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
