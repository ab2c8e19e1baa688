/** What a connection has received at QoS 1 and not acknowledged. The broker keeps it until it is told, and delivers it again
 * after the connection has ended. */
export interface Receipts {
  /** Messages that wait for their acknowledgement; none once the connection has ended. */
  readonly waiting: number;
  /** Takes the PUBACK packets of messages that have come. */
  add(packets: Buffer): void;
  /** Tells the broker of the oldest that wait: MQTT wants the order of arrival. */
  acknowledge(messages: number): void;
  /** The connection has ended: nothing can be acknowledged any more. */
  end(): void;
}

const pubackBytes = 4;
/** Messages whose packets have room from the start. */
const usualMessages = 4096;

/** All packets lie in one buffer: an object for each turn of the event loop would outlive the young generation. */
export function createReceipts(write: (packets: Buffer) => void): Receipts {
  let packets = Buffer.allocUnsafe(usualMessages * pubackBytes);
  let start = 0;
  let end = 0;

  function makeRoom(bytes: number): void {
    if (end + bytes <= packets.length) return;
    const kept = packets.subarray(start, end);
    if (kept.length + bytes > packets.length / 2) packets = Buffer.allocUnsafe(2 * (packets.length + bytes));
    packets.set(kept);
    end = kept.length;
    start = 0;
  }

  return {
    get waiting() {
      return (end - start) / pubackBytes;
    },
    add(some) {
      makeRoom(some.length);
      packets.set(some, end);
      end += some.length;
    },
    acknowledge(messages) {
      const to = Math.min(end, start + messages * pubackBytes);
      if (to === start) return;
      // a copy: a socket keeps what it cannot send yet
      write(Buffer.from(packets.subarray(start, to)));
      start = to;
    },
    end() {
      start = 0;
      end = 0;
    },
  };
}
