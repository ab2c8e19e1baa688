import type { Link } from '../mqtt/link.ts';
import { ModelRefusedError } from './model-checks.ts';
import type { Offer } from './model-queue.ts';

/** Of a model that comes by MQTT. */
export const mostTopicBytes = 256 * 1024;

/** Offers every model that comes on the topic.
 * @returns what ends it */
export function listenForModels(
  link: Pick<Link, 'onMessage'>,
  topic: string | undefined,
  offer: (offer: Offer) => void,
): () => void {
  return link.onMessage((delivery) => {
    const found = delivery.skippedBytes ?? delivery.payload.length;
    if (delivery.topic !== topic || found === 0) return;
    const bytes = found <= mostTopicBytes ? bytesOf(delivery.payload) : refusal(found);
    offer({ bytes, from: 'seenTopic', isAsked: !delivery.retain });
  });
}

/** A copy: the payload is a view of all that the connection has read at once. */
function bytesOf(payload: Uint8Array): () => Uint8Array {
  const bytes = Uint8Array.from(payload);
  return () => bytes;
}

function refusal(found: number): () => never {
  return () => {
    throw new ModelRefusedError(`a message of ${found} bytes, expected at most ${mostTopicBytes}`);
  };
}
