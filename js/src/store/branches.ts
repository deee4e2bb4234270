// What a branch is called here. Pure.
import type { Branch } from '../protocol/generated';

/** Of `origin/fix` it is `fix`. */
export const localName = ({ name, isRemote }: Branch): string => (isRemote ? name.slice(name.indexOf('/') + 1) : name);
