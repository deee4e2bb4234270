// The pinch of a trackpad in WebKit, which has events of its own for it. Elsewhere it is a wheel event with Ctrl.

/** WebKit's `GestureEvent`; TypeScript's library does not have it. */
interface GestureEvent extends UIEvent {
  readonly scale: number;
  readonly clientX: number;
  readonly clientY: number;
}

/**
 * Calls `zoom` with how much larger all gets since the last call, and keeps the page from zooming. Where fingers on a screen make the same
 * gesture, `isTouched` says so: their pointer events zoom already. Returns its own undo.
 */
export function onPinch(
  root: HTMLElement,
  zoom: (at: { clientX: number; clientY: number }, factor: number) => void,
  isTouched: () => boolean,
): () => void {
  let before = 1;
  const start = (event: Event) => {
    event.preventDefault();
    before = 1;
  };
  const change = (event: Event) => {
    event.preventDefault();
    const { scale, clientX, clientY } = event as GestureEvent;
    if (!(scale > 0)) return;
    if (!isTouched()) zoom({ clientX, clientY }, scale / before);
    before = scale;
  };
  const handlers = { gesturestart: start, gesturechange: change, gestureend: start };
  for (const [name, handler] of Object.entries(handlers)) root.addEventListener(name, handler, { passive: false });
  return () => {
    for (const [name, handler] of Object.entries(handlers)) root.removeEventListener(name, handler);
  };
}
