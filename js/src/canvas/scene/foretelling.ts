// What a card that is held over a zone would start there, said before it is let go of: from the policy at once, then as the server says it.
import type { ZonePreview } from '../../protocol/generated';
import { starts, startWords } from '../../store/policy';
import { dialogTexts } from '../../texts';
import { boxToScreen } from '../camera/camera';
import { viewOf } from '../objects';
import type { Box } from '../types';
import { h, icon } from './dom';
import type { Scene } from './scene';

const WIDTH = 264;
const HEIGHT = 132;
const EXCERPT = 140;

type Ask = (worktreeId: string, zoneId: string) => Promise<ZonePreview>;

export class Foretelling {
  readonly root = h('div', { class: 'agor-pop agor-foretelling', hidden: true, role: 'status' });
  readonly #scene: Scene;
  readonly #ask: Ask;
  /** Asked once for each zone and card of a gesture. */
  readonly #known = new Map<string, ZonePreview | null>();
  #shown: { readonly zone: string; readonly ids: readonly string[]; readonly isAlt: boolean } | null = null;
  #drawn = '';

  constructor(scene: Scene, ask: Ask) {
    this.#scene = scene;
    this.#ask = ask;
  }

  /** `null`: there is nothing to tell. Of cards that lie in the zone already, nothing starts. */
  show(zone: string | null, ids: readonly string[], isAlt = false): void {
    const inside = zone === null ? [] : (this.#scene.layout.members().get(zone) ?? []);
    // What is held lies in the document where it was; what is not was moved there already.
    const isThere = (id: string): boolean => inside.includes(id) && this.#scene.items.get(id)?.held !== null;
    const arriving = zone === null ? [] : ids.filter(id => !isThere(id) && this.#worktreeOf(id));
    this.#shown = zone !== null && arriving.length && starts(this.#scene.zone(zone)?.policy ?? null) ? { zone, ids: arriving, isAlt } : null;
    if (zone === null) this.#known.clear();
    this.#draw();
  }

  refresh(): void {
    const first = this.#shown?.ids[0];
    const box = first === undefined ? null : this.#scene.layout.boxOf(first);
    if (box) this.#put(box);
  }

  #worktreeOf(id: string): string | null {
    const object = this.#scene.items.get(id)?.object;
    return (object && viewOf(object).worktree(object)?.id) ?? null;
  }

  #draw(): void {
    const shown = this.#shown;
    this.root.hidden = !shown;
    if (!shown) {
      this.#drawn = '';
      return;
    }
    const policy = this.#scene.zone(shown.zone)?.policy;
    const worktree = this.#worktreeOf(shown.ids[0] ?? '');
    if (!policy || !worktree) return;
    const key = `${worktree}/${shown.zone}`;
    if (!this.#known.has(key)) {
      this.#known.set(key, null);
      this.#ask(worktree, shown.zone).then(
        found => {
          this.#known.set(key, found);
          this.#draw();
        },
        // What the policy says stays.
        () => undefined,
      );
    }
    const found = this.#known.get(key) ?? null;
    const drawn = `${key}/${shown.isAlt}/${shown.ids.length}/${found !== null}`;
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      const many = shown.ids.length > 1 ? dialogTexts.zone.forEach(shown.ids.length) : '';
      const title = shown.isAlt ? dialogTexts.zone.movesOnly : many + (found?.text ?? startWords(policy, this.#scene.context()));
      const prompt =
        found?.prompt
          ?.replace(/^```\w*$/gm, '')
          .replace(/\s+/g, ' ')
          .trim() ?? '';
      this.root.replaceChildren(
        h('div', { class: 'agor-foretold' }, icon(shown.isAlt ? 'next' : 'bolt', 14), h('b', null, title)),
        ...(shown.isAlt
          ? []
          : [
              ...(found?.problem ? [h('p', { class: 'agor-fail-text' }, found.problem)] : []),
              ...(prompt ? [h('p', { class: 'agor-t2' }, `“${prompt.length > EXCERPT ? `${prompt.slice(0, EXCERPT)}…` : prompt}”`)] : []),
              ...(found?.waits ? [h('p', { class: 'agor-t2' }, dialogTexts.zone.waitsHere(found.waits))] : []),
              h(
                'div',
                { class: 'agor-row agor-g8 agor-t3 agor-xs' },
                h('kbd', { class: 'agor-kbd' }, 'Alt'),
                h('span', null, dialogTexts.zone.altToMove),
              ),
            ]),
      );
    }
    this.refresh();
  }

  /** Below what is held, or above it where there is no room. */
  #put(box: Box): void {
    const { camera, size } = this.#scene;
    const at = boxToScreen(camera, box);
    const { style } = this.root;
    style.left = `${Math.round(Math.max(8, Math.min(at.x + 14, size.width - WIDTH - 8)))}px`;
    const below = at.y + at.height + 14;
    style.top = `${Math.round(below + HEIGHT < size.height ? below : Math.max(8, at.y - HEIGHT - 14))}px`;
  }
}
