import type { EventHandleField } from '../eventHandles';

/**
 * Which type the events of a handle are, by where the handle is: `module::Struct/field` of a resource to `module::Struct` of the event.
 * @example { 'offer::OfferEvents/offer_token_events': 'offer::OfferTokenEvent' }
 */
export type HandleTypes = Readonly<Record<string, string>>;

/** @param packageAddress canonical. */
export function handleFields(packageAddress: string, handles: HandleTypes): readonly EventHandleField[] {
  return Object.entries(handles).map(([place, type]) => {
    const [resource = '', field = ''] = place.split('/');
    return { resource: `${packageAddress}::${resource}`, field, type: `${packageAddress}::${type}` };
  });
}
