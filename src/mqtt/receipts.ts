/** Messages that a connection has received and not acknowledged. The broker keeps them until it is told, and delivers them
 * again after the connection has ended. */
export interface Receipt {
  readonly messages: number;
  /** Tells the broker, in the order of arrival, which MQTT wants; of a connection that is over, nothing. */
  acknowledge(): void;
}

/** PUBACK packets that wait to be sent, on one connection. */
export interface Receipts {
  add(packets: Buffer): void;
  /** All that has come since the last `take`. */
  take(): Receipt;
}

const pubackBytes = 4;

export function createReceipts(write: (packets: Buffer) => void): Receipts {
  let packets: Buffer[] = [];
  let messages = 0;
  return {
    add(some) {
      packets.push(some);
      messages += some.length / pubackBytes;
    },
    take() {
      const taken = packets;
      const receipt = { messages, acknowledge: () => write(Buffer.concat(taken)) };
      packets = [];
      messages = 0;
      return receipt;
    },
  };
}
