// A card that is carried by the keyboard: arrows choose a zone, Enter drops it there, Escape puts it back.
import { dialogTexts } from '../../texts';
import { neighbour } from '../layout/geometry';
import { CARD } from '../layout/placement';
import { viewOf } from '../objects';
import type { Scene } from '../scene/scene';
import { landings } from '../tools/select';
import type { Point } from '../types';
import { DIRECTIONS } from './keyboard';

const APART = 12;
const HEAD = 54;

export interface CarryHost {
  readonly scene: Scene;
  land(changes: ReturnType<typeof landings>, run: boolean): void;
  foretell(zoneId: string | null, ids: readonly string[]): void;
  /** Shown, and read by a screen reader once. */
  say(text: string): void;
  show(id: string): void;
  schedule(): void;
}

export class Carry {
  readonly #host: CarryHost;
  #ids: readonly string[] = [];
  #zone: string | null = null;

  constructor(host: CarryHost) {
    this.#host = host;
  }

  get isUnderWay(): boolean {
    return this.#ids.length > 0;
  }

  start(ids: readonly string[]): void {
    const { scene } = this.#host;
    if (!scene.layout.containers().length) {
      this.#host.say(dialogTexts.zone.noZone);
      return;
    }
    this.#ids = ids;
    this.#zone = this.#ownZone(ids[0] ?? '');
    for (const id of ids) scene.flag(id, 'dragging', ids.length === 1 ? 'lift' : 'yes');
    this.#host.say(dialogTexts.zone.carrying(this.#label()));
  }

  /** True: the key was meant for it. */
  key({ key, altKey }: Pick<KeyboardEvent, 'key' | 'altKey'>): boolean {
    if (!this.isUnderWay) return false;
    const direction = DIRECTIONS[key];
    if (direction) this.#go(direction);
    else if (key === 'Enter') this.#drop(!altKey);
    else if (key === 'Escape') {
      this.end();
      this.#host.say(dialogTexts.zone.putBack);
    } else {
      // Alt alone is on its way to Alt Enter; with any other key a person does something else.
      if (key !== 'Alt' && key !== 'Shift') this.end();
      return key === 'Alt' || key === 'Shift';
    }
    return true;
  }

  /** Puts it back. */
  end(): void {
    const { scene } = this.#host;
    for (const id of this.#ids) {
      scene.flag(id, 'dragging', null);
      scene.release(id);
    }
    this.#ids = [];
    this.#host.foretell(null, []);
    this.#host.schedule();
  }

  /** What the first of them is called. */
  #label(): string {
    const object = this.#host.scene.items.get(this.#ids[0] ?? '')?.object;
    return (object && viewOf(object).worktree(object)?.label) ?? '';
  }

  #ownZone(id: string): string | null {
    for (const [zone, ids] of this.#host.scene.layout.members()) if (ids.includes(id)) return zone;
    return null;
  }

  #go(direction: 'left' | 'right' | 'up' | 'down'): void {
    const { scene } = this.#host;
    const { layout } = scene;
    const from = layout.boxOf(this.#zone ?? this.#ids[0] ?? '');
    const next = from && neighbour(from, direction, layout.shownContainers());
    const zone = next && layout.boxOf(next);
    if (!zone) {
      this.#host.say(dialogTexts.zone.noZoneThere);
      return;
    }
    this.#zone = next;
    const inside = (layout.members().get(next) ?? []).filter(id => !this.#ids.includes(id)).map(id => layout.boxOf(id));
    let y = Math.max(zone.y + HEAD, ...inside.map(box => (box ? box.y + box.height + APART : 0)));
    // It lies in the zone as long as its middle does.
    y = Math.max(zone.y, Math.min(y, zone.y + zone.height - CARD.height / 2 - 1));
    for (const [i, id] of this.#ids.entries()) scene.hold(id, { x: zone.x + APART, y: y + i * APART });
    this.#host.foretell(next, this.#ids);
    this.#host.show(this.#ids[0] ?? '');
    this.#host.schedule();
  }

  #drop(run: boolean): void {
    const { scene } = this.#host;
    const to = new Map<string, Point>();
    for (const id of this.#ids) {
      const held = scene.items.get(id)?.held;
      if (held) to.set(id, held);
    }
    const changes = landings(to, scene);
    const name = this.#zone === null ? '' : scene.zoneName(this.#zone);
    const card = this.#label();
    this.end();
    if (!to.size) return;
    this.#host.land(changes, run);
    this.#host.say(dialogTexts.zone.droppedIn(card, name));
  }
}
