// Text that others wrote, as it can be trusted to be read.

/** Characters that turn the direction of text, or are not seen at all, are made visible: a command must read as what it runs. */
// eslint-disable-next-line no-misleading-character-class
const HIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** Scripts that are not written right without joiners between their letters. */
const JOINING = [
  'Arabic',
  'Bengali',
  'Devanagari',
  'Gujarati',
  'Gurmukhi',
  'Kannada',
  'Khmer',
  'Malayalam',
  'Myanmar',
  'Oriya',
  'Sinhala',
  'Syriac',
  'Tamil',
  'Telugu',
]
  .map(script => `\\p{Script=${script}}`)
  .join('');
const PICTURE = '\\p{Extended_Pictographic}[\\u{1f3fb}-\\u{1f3ff}\\ufe0f]{0,2}';

/** The flags of England, Scotland and Wales. Any other name in such characters would be seen as a black flag, with the name hidden. */
const FLAG =
  '\\u{1f3f4}\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}|\\u{e0073}\\u{e0063}\\u{e0074}|\\u{e0077}\\u{e006c}\\u{e0073})\\u{e007f}';

/** Where such a character hides nothing: it joins pictures to one, names a flag, or joins letters. */
const JOINED = [`${PICTURE}(?:\\u200d${PICTURE}){1,9}`, FLAG, `(?<=[${JOINING}])[\\u200c\\u200d](?=[${JOINING}])`].join('|');

const SEEN = new RegExp(`(${JOINED})|${HIDDEN.source}`, 'gu');

export function visible(text: string): string {
  return text.replace(
    SEEN,
    (character, joined?: string) => joined ?? `⟨${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}
