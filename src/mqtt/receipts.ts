/** Messages that a connection has received and not acknowledged. The broker keeps them until it is told, and delivers them
 * again after the connection has ended. */
export interface Receipt {
  readonly messages: number;
  /** Its connection has ended: the broker will deliver the messages again. */
  readonly isVoid: boolean;
  /** Tells the broker, in the order of arrival, which MQTT wants; of a connection that is over, nothing. */
  acknowledge(): void;
}

/** PUBACK packets that wait to be sent, on one connection. */
export interface Receipts {
  add(packets: Buffer): void;
  /** All that has come since the last `take`. */
  take(): Receipt;
  /** The connection has ended: nothing that was taken can be acknowledged any more. */
  end(): void;
}

const pubackBytes = 4;

export function createReceipts(write: (packets: Buffer) => void): Receipts {
  let packets: Buffer[] = [];
  let messages = 0;
  let ended = false;
  return {
    add(some) {
      packets.push(some);
      messages += some.length / pubackBytes;
    },
    take() {
      const taken = packets;
      const receipt: Receipt = {
        messages,
        get isVoid() {
          return ended;
        },
        acknowledge() {
          if (!ended && taken.length > 0) write(Buffer.concat(taken));
        },
      };
      packets = [];
      messages = 0;
      return receipt;
    },
    end() {
      ended = true;
    },
  };
}
