// Words that are being composed: a key that chooses or confirms one belongs to the input method, and means nothing else anywhere.

/**
 * Whether a key belongs to an input method. Safari sends the Enter that confirms a word after `compositionend`, no longer as composing;
 * its `keyCode` 229, "in process", still tells (WebKit bug 165004).
 */
export const isComposing = (event: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean => event.isComposing || event.keyCode === 229;

/** Keeps such keys from all that listens below `root`. To be called before anything else listens on `root` itself. Returns its own undo. */
export function guardComposition(root: HTMLElement): () => void {
  const guard = (event: KeyboardEvent) => {
    if (isComposing(event)) event.stopImmediatePropagation();
  };
  root.addEventListener('keydown', guard, { capture: true });
  return () => root.removeEventListener('keydown', guard, { capture: true });
}
