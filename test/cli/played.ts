import type { Delivery } from '../../src/mqtt/intake.ts';
import { textOf } from '../mqtt/links.ts';

/** Stream -> the numbers of topics s/STREAM/w in the order in which each was delivered first. */
export function firstOf(deliveries: readonly Delivery[]): Record<string, number[]> {
  const streams: Record<string, Set<number>> = {};
  for (const delivery of deliveries) {
    const stream = delivery.topic.split('/')[1];
    streams[stream] ??= new Set();
    streams[stream].add(Number(textOf(delivery)));
  }
  return Object.fromEntries(Object.entries(streams).map(([stream, numbers]) => [stream, [...numbers]]));
}

/** How many of them were delivered, however often. */
export function countFirst(deliveries: readonly Delivery[]): number {
  return Object.values(firstOf(deliveries)).flat().length;
}

/** 0, 1, 2 ... */
export function orderedNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
