// What is drawn over the board at screen size: guides, the box being drawn, handles and the little bar of a selected zone or note.
import type { IconName } from '../../icons';
import { boxToScreen, toScreen } from '../camera/camera';
import { zoneOf } from '../layout/geometry';
import type { Snap } from '../layout/guides';
import { boxOf } from '../layout/item';
import { viewOf } from '../objects';
import { cssColor, palette } from '../objects/colors';
import type { Box } from '../types';
import { h, icon } from './dom';
import type { Scene } from './scene';

const HANDLES = ['nw', 'n', 'ne', 'w', 'e', 'sw', 's', 'se'] as const;
const CURSORS: Readonly<Record<string, string>> = { nw: 'nwse', se: 'nwse', ne: 'nesw', sw: 'nesw', n: 'ns', s: 'ns', w: 'ew', e: 'ew' };

export class Overlay {
  readonly root = h('div', { class: 'agor-overlay' });
  readonly #guides = h('div', { class: 'agor-layer', 'aria-hidden': 'true' });
  readonly #draft = h('div', { class: 'agor-draft', hidden: true, 'aria-hidden': 'true' });
  readonly #frame = h('div', { class: 'agor-frame', hidden: true });
  readonly #bar = h('div', { class: 'agor-pop agor-bar-small', hidden: true, role: 'toolbar', 'aria-label': 'Selected' });
  readonly #scene: Scene;
  #draftBox: Box | null = null;
  #selected: string | null = null;
  #target: string | null = null;
  #barFor = '';

  constructor(scene: Scene) {
    this.#scene = scene;
    for (const name of HANDLES)
      this.#frame.append(h('i', { class: `agor-handle agor-handle-${name}`, 'data-handle': name, style: `cursor: ${CURSORS[name]}-resize` }));
    this.root.append(this.#guides, this.#draft, this.#frame, this.#bar);
  }

  /** Lines and distances of the drag. */
  guides(found: Snap): void {
    const { camera } = this.#scene;
    const parts: HTMLElement[] = [];
    for (const guide of found.guides) {
      const isX = guide.axis === 'x';
      const a = toScreen(camera, isX ? { x: guide.at, y: guide.from } : { x: guide.from, y: guide.at });
      const length = (guide.to - guide.from) * camera.zoom;
      parts.push(
        h('div', {
          class: `agor-guide ${isX ? 'agor-v' : 'agor-h'}`,
          style: `left: ${Math.round(a.x)}px; top: ${Math.round(a.y)}px; ${isX ? 'height' : 'width'}: ${length}px`,
        }),
      );
    }
    for (const gap of found.gaps) {
      const at = toScreen(camera, gap);
      parts.push(h('span', { class: 'agor-gap', style: `left: ${Math.round(at.x)}px; top: ${Math.round(at.y)}px` }, String(gap.distance)));
    }
    if (parts.length || this.#guides.firstChild) this.#guides.replaceChildren(...parts);
  }

  /** The box that a gesture draws. */
  draft(box: Box | null): void {
    this.#draftBox = box;
    this.refresh();
  }

  /** Marks the zone that would take what is held at `box`, and answers which it is. */
  dropOn(box: Box | null): string | null {
    const target = box ? zoneOf(box, this.#scene.layout.shownContainers()) : null;
    this.#scene.slot(target === null ? null : box);
    if (target === this.#target) return target;
    if (this.#target !== null) this.#scene.flag(this.#target, 'drop', null);
    if (target !== null) this.#scene.flag(target, 'drop', 'yes');
    this.#target = target;
    return target;
  }

  /** Handles and the bar are for one zone or note. */
  select(id: string | null): void {
    this.#selected = id;
    this.refresh();
  }

  /** Follows the camera and what is selected. */
  refresh(): void {
    const { camera } = this.#scene;
    if (this.#draftBox === null && this.#selected === null && this.#draft.hidden && this.#frame.hidden) return;
    this.#draft.hidden = this.#draftBox === null;
    if (this.#draftBox) put(this.#draft, boxToScreen(camera, this.#draftBox));
    const item = this.#selected === null ? undefined : this.#scene.items.get(this.#selected);
    const isShown = item !== undefined && !item.autoHeight;
    this.#frame.hidden = !isShown;
    this.#bar.hidden = !isShown || item.element?.dataset['dragging'] !== undefined;
    if (!isShown) return;
    const box = boxToScreen(camera, boxOf(item));
    put(this.#frame, box);
    const view = viewOf(item.object);
    const color = view.color(item.object) ?? '';
    const tools = view.tools?.(item.object) ?? [];
    const made = `${item.id}/${color}/${tools.map(({ label }) => label).join()}`;
    if (this.#barFor !== made) {
      this.#barFor = made;
      this.#bar.replaceChildren(
        ...tools.map(one => tool(one.act, item.id, one.label, one.icon, one.option)),
        ...(tools.length ? [h('span', { class: 'agor-sep' })] : []),
        tool('edit', item.id, view.edit(item.object)?.action ?? '', 'pencil'),
        h('span', { class: 'agor-sep' }),
        swatch(item.id, '', color === ''),
        ...palette.map(name => swatch(item.id, name, color === name)),
        h('span', { class: 'agor-sep' }),
        tool('delete', item.id, 'Delete', 'trash'),
      );
    }
    const below = box.y + box.height + 10;
    const top = below + 44 < this.#scene.size.height ? below : Math.max(8, Math.min(box.y - 46, this.#scene.size.height - 110));
    this.#bar.style.left = `${Math.round(Math.max(8, Math.min(box.x, this.#scene.size.width - this.#bar.offsetWidth - 8)))}px`;
    this.#bar.style.top = `${Math.round(top)}px`;
  }
}

const put = (element: HTMLElement, box: Box): void => {
  element.style.transform = `translate(${Math.round(box.x)}px, ${Math.round(box.y)}px)`;
  element.style.width = `${Math.round(box.width)}px`;
  element.style.height = `${Math.round(box.height)}px`;
};

const tool = (act: string, id: string, label: string, symbol: IconName, option?: string): HTMLElement =>
  h(
    'button',
    { type: 'button', class: 'agor-ib agor-sm', 'data-act': act, 'data-of': id, 'data-option': option, 'aria-label': label, title: label },
    icon(symbol),
  );

const swatch = (id: string, name: string, isOn: boolean): HTMLElement =>
  h('button', {
    type: 'button',
    class: 'agor-dot',
    'data-act': 'color',
    'data-of': id,
    'data-option': name,
    'aria-label': name || 'No colour',
    'aria-pressed': String(isOn),
    title: name || 'No colour',
    style: `--zc: ${cssColor(name) ?? 'var(--agor-rest-mark)'}`,
  });
