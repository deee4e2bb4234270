// A button that opens a short list to choose from. The list takes the focus, keeps it, and gives it back.
import { Fragment, type KeyboardEvent, type ReactNode, useLayoutEffect, useState } from 'react';

import type { IconName } from '../../icons.js';
import type { Person } from '../../protocol/generated.js';
import { Face, Icon } from './Icon.js';
import { visible } from './safe.js';
import { useFocusTrap } from './trap.js';

export interface MenuItem {
  readonly id: string;
  readonly label: string;
  readonly detail?: string | null;
  readonly icon?: IconName;
  /** The person that it is about. */
  readonly face?: Person;
  /** One of several of which one holds; `undefined`: an action. */
  readonly isChecked?: boolean;
  /** A heading is drawn where it changes. */
  readonly section?: string;
  readonly run: () => void;
}

interface Props {
  /** Spoken, and shown on hover. */
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
  readonly items: readonly MenuItem[];
  /** One line below the list. */
  readonly note?: string | null;
  /** Why it cannot be opened. */
  readonly reason?: string | null;
  readonly isDisabled?: boolean;
}

export function MenuButton({ label, className, children, items, note, reason, isDisabled = false }: Props) {
  const [isOpen, setOpen] = useState(false);
  const isOff = reason != null || isDisabled;
  return (
    <span className="agor-menu-place">
      <button
        type="button"
        className={className}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={label}
        aria-disabled={isOff || undefined}
        title={reason ?? label}
        onClick={() => !isOff && setOpen(!isOpen)}
      >
        {children}
      </button>
      {isOpen && <Menu label={label} items={items} note={note} onClose={() => setOpen(false)} />}
    </span>
  );
}

export function Menu({ label, items, note, onClose }: Pick<Props, 'label' | 'items' | 'note'> & { onClose: () => void }) {
  const trap = useFocusTrap(onClose, true);
  useInView(trap.ref);
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[role^="menuitem"]')];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const steps: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    const next = steps[event.key] ?? (event.key.length === 1 && event.key !== ' ' ? typed(all, at, event.key) : undefined);
    if (next === undefined) {
      trap.onKeyDown(event);
      // Nothing of what is typed in a menu is the board's.
      if (event.key !== 'Tab') event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    all[(next + all.length) % all.length]?.focus();
  };
  const checked = items.find(item => item.isChecked)?.id;
  return (
    <div ref={trap.ref} className="agor-popover agor-drop" onKeyDown={onKeyDown}>
      <div role="menu" aria-label={label} className="agor-drop-list">
        {items.map((item, index) => (
          <Fragment key={item.id}>
            {item.section && item.section !== items[index - 1]?.section && (
              <div className="agor-section" role="presentation">
                {item.section}
              </div>
            )}
            {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: a radio item is what can be checked */}
            <button
              type="button"
              role={item.isChecked === undefined ? 'menuitem' : 'menuitemradio'}
              aria-checked={item.isChecked}
              data-autofocus={item.id === checked || undefined}
              className="agor-drop-item"
              onClick={() => {
                onClose();
                item.run();
              }}
            >
              {item.isChecked !== undefined ? (
                <span className="agor-drop-tick">{item.isChecked && <Icon name="check" size={14} />}</span>
              ) : (
                (item.face && <Face person={item.face} />) || (item.icon && <Icon name={item.icon} />)
              )}
              <span className="agor-drop-text">
                <span>{visible(item.label)}</span>
                {item.detail && <span className="agor-drop-detail">{visible(item.detail)}</span>}
              </span>
            </button>
          </Fragment>
        ))}
      </div>
      {note && <div className="agor-popover-foot">{note}</div>}
    </div>
  );
}

/** The next item that begins with this letter. */
function typed(all: readonly HTMLElement[], at: number, letter: string): number | undefined {
  for (let step = 1; step <= all.length; step += 1) {
    const index = (at + step + all.length) % all.length;
    if (all[index]?.textContent?.trim().toLowerCase().startsWith(letter.toLowerCase())) return index;
  }
  return undefined;
}

/** Opens below its button where there is room, else above, and never beyond the board's edges. */
export function useInView(ref: React.RefObject<HTMLElement>): void {
  useLayoutEffect(() => {
    const element = ref.current;
    const place = element?.parentElement?.getBoundingClientRect();
    const frame = element?.closest('.agor-app')?.getBoundingClientRect();
    if (!element || !place || !frame) return;
    const below = frame.bottom - place.bottom - 12;
    const above = place.top - frame.top - 12;
    const isBelow = element.offsetHeight <= below || below >= above;
    element.dataset['side'] = isBelow ? 'below' : 'above';
    element.style.maxHeight = `${Math.max(96, isBelow ? below : above)}px`;
    const over = place.left + element.offsetWidth - (frame.right - 8);
    element.style.left = `${Math.max(frame.left + 8 - place.left, Math.min(0, -over))}px`;
  }, [ref]);
}
