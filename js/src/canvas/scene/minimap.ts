// The whole board in a corner; a press there goes there.
import type { BoardState } from '../../store/types';
import { visibleBox } from '../camera/camera';
import { union } from '../layout/geometry';
import { boxOf } from '../layout/item';
import { viewOf } from '../objects';
import type { Box, Camera } from '../types';
import { h } from './dom';
import type { Scene } from './scene';

const WIDTH = 168;
const HEIGHT = 108;
const MARGIN = 8;

/** Class of a dot → token and strength. */
const INK: Readonly<Record<string, readonly [string, number]>> = {
  area: ['--agor-zone-line', 0.6],
  running: ['--agor-run-mark', 0.6],
  starting: ['--agor-run-mark', 0.4],
  needs: ['--agor-need-mark', 1],
  failed: ['--agor-fail-mark', 0.75],
  done: ['--agor-done-mark', 0.4],
};
const REST = ['--agor-rest-mark', 0.3] as const;

export class Minimap {
  readonly root: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #view = h('div', { class: 'agor-mini-view' });
  readonly #scene: Scene;
  #world: Box = { x: 0, y: 0, width: 1, height: 1 };
  #scale = 1;
  #seen = '';

  constructor(scene: Scene, go: (camera: Camera) => void) {
    this.#scene = scene;
    this.#canvas = document.createElement('canvas');
    this.root = h('div', { class: 'agor-mini', role: 'img', 'aria-label': 'Minimap' }, this.#canvas, this.#view);
    const follow = (event: PointerEvent): void => {
      const box = this.root.getBoundingClientRect();
      const x = (event.clientX - box.left - this.#left()) / this.#scale + this.#world.x;
      const y = (event.clientY - box.top - this.#top()) / this.#scale + this.#world.y;
      const { camera, size } = this.#scene;
      go({ ...camera, x: size.width / 2 - x * camera.zoom, y: size.height / 2 - y * camera.zoom });
    };
    this.root.addEventListener('pointerdown', event => {
      event.stopPropagation();
      event.preventDefault();
      this.root.setPointerCapture(event.pointerId);
      follow(event);
    });
    this.root.addEventListener('pointermove', event => {
      if (event.buttons & 1) follow(event);
    });
  }

  /** Draws all dots again. */
  draw(state: BoardState): void {
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    if (this.#canvas.width !== WIDTH * ratio) {
      this.#canvas.width = WIDTH * ratio;
      this.#canvas.height = HEIGHT * ratio;
    }
    const bounds = this.#scene.bounds();
    const seen = visibleBox(this.#scene.camera, this.#scene.size);
    this.#world = (bounds && union([bounds])) ?? seen;
    this.#scale = Math.min((WIDTH - 2 * MARGIN) / Math.max(1, this.#world.width), (HEIGHT - 2 * MARGIN) / Math.max(1, this.#world.height), 0.2);
    const ink = this.#canvas.getContext('2d');
    if (!ink) return;
    const style = getComputedStyle(this.root);
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.clearRect(0, 0, WIDTH, HEIGHT);
    const context = { ...this.#scene.context(), state };
    const inks = new Map<string, { color: string; alpha: number; boxes: Box[] }>();
    for (const item of this.#scene.items.values()) {
      const dot = viewOf(item.object).dot(item.object, context);
      let group = inks.get(dot);
      if (!group) {
        const [token, alpha] = INK[dot] ?? REST;
        inks.set(dot, (group = { color: style.getPropertyValue(token), alpha, boxes: [] }));
      }
      group.boxes.push(boxOf(item));
    }
    const left = this.#left();
    const top = this.#top();
    for (const [dot, { color, alpha, boxes }] of [...inks].sort(([a], [b]) =>
      a === 'area' ? -1 : b === 'area' ? 1 : a === 'needs' ? 1 : b === 'needs' ? -1 : 0,
    )) {
      ink.globalAlpha = alpha;
      ink.fillStyle = resolve(color, this.root);
      const least = dot === 'needs' || dot === 'failed' ? 3 : 1.5;
      for (const box of boxes) {
        ink.fillRect(
          left + (box.x - this.#world.x) * this.#scale,
          top + (box.y - this.#world.y) * this.#scale,
          Math.max(least, box.width * this.#scale),
          Math.max(least, box.height * this.#scale),
        );
      }
    }
    this.refresh();
  }

  /** The camera moved. */
  refresh(): void {
    const seen = visibleBox(this.#scene.camera, this.#scene.size);
    const x = Math.max(0, this.#left() + (seen.x - this.#world.x) * this.#scale);
    const y = Math.max(0, this.#top() + (seen.y - this.#world.y) * this.#scale);
    const right = Math.min(WIDTH, this.#left() + (seen.x + seen.width - this.#world.x) * this.#scale);
    const bottom = Math.min(HEIGHT, this.#top() + (seen.y + seen.height - this.#world.y) * this.#scale);
    const { style } = this.#view;
    style.transform = `translate(${x}px, ${y}px)`;
    const size = `${Math.round(Math.max(4, right - x))} ${Math.round(Math.max(4, bottom - y))}`;
    if (size === this.#seen) return;
    this.#seen = size;
    const [width, height] = size.split(' ');
    style.width = `${width}px`;
    style.height = `${height}px`;
  }

  #left(): number {
    return (WIDTH - this.#world.width * this.#scale) / 2;
  }

  #top(): number {
    return (HEIGHT - this.#world.height * this.#scale) / 2;
  }
}

const resolved = new Map<string, string>();

/** A token may be a `color-mix`; a canvas wants what the browser makes of it. */
const resolve = (color: string, beside: HTMLElement): string => {
  let found = resolved.get(color);
  if (found === undefined) {
    const probe = h('i', { style: `color: ${color}; display: none` });
    beside.append(probe);
    found = getComputedStyle(probe).color;
    probe.remove();
    if (resolved.size > 60) resolved.clear();
    resolved.set(color, found);
  }
  return found;
};
