import type { IClientOptions } from 'mqtt';

/** MQTT.js numbers its subscriptions and the status from 1 to this; the ids above are those of publications. */
export const lastClientId = 255;

export function createClientIds(): NonNullable<IClientOptions['messageIdProvider']> {
  let newest = 0;
  return {
    allocate() {
      newest = newest === lastClientId ? 1 : newest + 1;
      return newest;
    },
    getLastAllocated: () => newest,
    register: () => true,
    deallocate() {},
    clear() {},
  };
}
