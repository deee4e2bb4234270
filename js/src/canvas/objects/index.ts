// The kinds of objects that a board draws. A new kind is one file and one line here.
import type { BoardObject } from '../../protocol/generated';
import type { ObjectKind, ObjectView } from '../types';
import { card } from './card';
import { note } from './note';
import { zone } from './zone';

export const objectViews = { card, zone, note } satisfies { [K in ObjectKind]: ObjectView<K> };

/** The view of an object, as if all were of one kind: what comes out of the table fits what went in. */
export const viewOf = (object: BoardObject): ObjectView<ObjectKind> => objectViews[object.kind] as unknown as ObjectView<ObjectKind>;
