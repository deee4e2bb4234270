// What panels know of the zones of the board: from its document, as it is now.
import { useSyncExternalStore } from 'react';

import type { Zone } from '../../protocol/generated.js';
import { asCard, asZone, zoneNameOf } from '../../store/objects.js';
import type { BoardView } from '../../store/types.js';
import { useClient } from '../context.js';

const quiet = () => () => undefined;

export function useBoardView(): BoardView | null {
  const { board } = useClient();
  return useSyncExternalStore(board?.subscribe ?? quiet, () => board?.getView() ?? null);
}

export function useZoneName(): (id: string) => string {
  const objects = useBoardView()?.objects;
  return id => zoneNameOf(objects, id);
}

export interface Placed {
  readonly id: string;
  readonly zone: Zone;
}

/** All of the board, by name. */
export function useZones(): Placed[] {
  const objects = useBoardView()?.objects;
  const zones = [...(objects ?? [])].flatMap(([id, object]) => {
    const zone = asZone(object);
    return zone ? [{ id, zone }] : [];
  });
  return zones.sort((a, b) => a.zone.name.localeCompare(b.zone.name));
}

/** The worktrees of the cards of the board. */
export function useCards(): string[] {
  const objects = useBoardView()?.objects;
  return [...(objects?.values() ?? [])].flatMap(object => asCard(object)?.worktree ?? []);
}
