// A picture as agents take it: of a kind that models read, and not larger than they look at.

/** Pixels of the longer side, as the server has it. */
export const MAX_SIDE = 1568;
const KINDS = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const LARGE = 1_500_000;

/** The size that a picture gets so that neither side is longer than `MAX_SIDE`. */
export function fitted(width: number, height: number): { width: number; height: number } {
  const factor = Math.min(1, MAX_SIDE / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** Scaled down and in another format, if it has to be. Rejects for what the browser cannot read as a picture. */
export async function shrink(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file);
  try {
    const { width, height } = fitted(picture.width, picture.height);
    if (width === picture.width && height === picture.height && KINDS.has(file.type) && file.size <= LARGE) return file;
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    canvas.getContext('2d')?.drawImage(picture, 0, 0, width, height);
    const draw = (type: string, quality?: number) => new Promise<Blob | null>(resolve => canvas.toBlob(resolve, type, quality));
    const lossless = await draw('image/png');
    const drawn = lossless && lossless.size <= LARGE ? lossless : await draw('image/jpeg', 0.88);
    if (!drawn) throw new Error('The picture could not be scaled down.');
    return drawn;
  } finally {
    picture.close();
  }
}
