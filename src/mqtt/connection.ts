import type { Socket } from 'node:net';
import { connect, type IConnackPacket, type MqttClient } from 'mqtt';
import { ConnectionLostError } from './broker-error.ts';
import type { Broker, Protocol } from './broker-options.ts';
import { clientOptions, largestPacket } from './client-options.ts';
import { type Ending, endingOf } from './ending.ts';
import { type Greeting, greet } from './greeting.ts';
import { createIntake, type Delivery } from './intake.ts';
import { createLifeSigns } from './life-signs.ts';
import { createOutgoing, type Done, type Outgoing, type PublishOptions } from './outgoing.ts';
import { createReceipts, type Receipts } from './receipts.ts';

export interface DialOptions extends Greeting {
  readonly broker: Broker;
  readonly protocol: Protocol;
  /** For the broker's answer to the CONNECT. */
  readonly timeoutMs: number;
  readonly onDelivery: (delivery: Delivery) => void;
  /** The broker has accepted the client, and says whether it has kept its session; before all that it delivers. */
  readonly onSession: (isPresent: boolean) => void;
  /** Messages are acknowledged by whoever takes the receipt, and not on arrival. */
  readonly holdsReceipts: boolean;
  /** The broker has accepted the client, its subscriptions and its birth message. */
  readonly onUp: (sessionPresent: boolean) => void;
  /** Once; `lastedMs` is undefined when it was never up. */
  readonly onDown: (ending: Ending, lastedMs: number | undefined) => void;
}

/** One connection, from dialing to its end. A client of MQTT.js lives no longer: what it would carry over to the
 * next connection (queues, unacknowledged messages, subscriptions) has its owner elsewhere, with a bound. */
export interface Connection {
  readonly up: boolean;
  /** Of what came at QoS 1 and is not acknowledged. */
  readonly receipts: Receipts;
  /** How many QoS 1 publications the broker takes before it has acknowledged the first. */
  readonly window: number;
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions, done: Done): void;
  /** Takes no more messages: the broker keeps them for the next connection. */
  leave(): void;
  /** Waits for what is under way, says goodbye and disconnects; after `timeoutMs` it just closes. */
  end(timeoutMs: number): Promise<void>;
  /** Closes without a goodbye: the broker publishes the will. */
  destroy(): void;
}

/** Of a first connection on which somebody hangs up at once. */
const suspicions: { readonly [scheme in Broker['scheme']]?: string } = {
  mqtt: 'perhaps the port wants TLS, mqtts://',
  mqtts: 'perhaps the port does not speak TLS',
};

export function dial(options: DialOptions): Connection {
  const { broker, protocol, first, statusTopic, onDelivery, onUp, onDown } = options;
  const client = connect(clientOptions(broker, options));
  let window = 65_535;
  const outgoing = createOutgoing(client, protocol, () => window);
  const receipts = createReceipts((packets) => {
    // behind the forecasts: what is acknowledged has its answer at the broker
    outgoing.flush();
    writeCorked(client.stream, packets);
  });
  let suspicion = first ? suspicions[broker.scheme] : undefined;
  let failure: Error | undefined;
  let disconnectCode: number | undefined;
  let upSinceMs: number | undefined;
  let over = false;
  let leaving = false;
  let finish = () => {};
  const closed = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const fail = (error: Error) => {
    failure ??= error;
    client.stream?.destroy();
  };
  const onConnack = (connack: IConnackPacket) => {
    // MQTT.js leaves Nagle's algorithm on: 1.5 ms instead of 0.3 a round trip, with tails of 40 ms
    (client.stream as Partial<Socket>).setNoDelay?.(true);
    window = connack.properties?.receiveMaximum ?? window;
    suspicion = undefined;
    greet(client, connack, options).then(() => {
      if (over) return;
      upSinceMs = Date.now();
      onUp(connack.sessionPresent);
    }, fail);
  };
  const onClose = () => {
    over = true;
    receipts.end();
    outgoing.endAll(new ConnectionLostError('the connection was lost'));
    const lastedMs = upSinceMs === undefined ? undefined : Date.now() - upSinceMs;
    onDown(endingOf({ failure, disconnectCode, suspicion }), lastedMs);
    finish();
  };

  client.on('error', fail);
  client.on('disconnect', ({ reasonCode }) => {
    disconnectCode = reasonCode;
  });
  client.on('connect', onConnack);
  client.once('close', onClose);
  start(client, {
    fail,
    onSecured() {
      suspicion = undefined;
    },
    onClose,
    intakeOf: (forward) =>
      createIntake({
        ...{ protocol, largestPacket },
        onDelivery(delivery) {
          // an acknowledgement would come after the goodbye; without one the message comes again
          if (leaving || client.disconnecting) return false;
          onDelivery(delivery);
          return true;
        },
        onSession: options.onSession,
        onPuback: outgoing.acknowledge,
        onOther: forward,
        onAcknowledge: (packets) => {
          receipts.add(packets);
          if (!options.holdsReceipts) receipts.acknowledge(receipts.waiting);
        },
      }),
  });

  return {
    receipts,
    get up() {
      return upSinceMs !== undefined && !over;
    },
    get window() {
      return window;
    },
    publish: outgoing.publish,
    leave() {
      leaving = true;
    },
    end: (timeoutMs) => end({ client, outgoing, closed, statusTopic }, timeoutMs),
    destroy: () => client.stream?.destroy(),
  };
}

/** In one piece with what else the turn writes: a commit acknowledges the messages of thousands of turns. */
function writeCorked(stream: MqttClient['stream'], bytes: Buffer): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    process.nextTick(() => stream.uncork());
  }
  stream.write(bytes);
}

interface StreamHandlers {
  readonly fail: (error: Error) => void;
  readonly onSecured: () => void;
  readonly onClose: () => void;
  /** @param forward hands bytes to MQTT.js */
  readonly intakeOf: (forward: (bytes: Buffer) => void) => (chunk: Buffer) => void;
}

function start(client: MqttClient, { fail, onSecured, onClose, intakeOf }: StreamHandlers): void {
  try {
    client.connect();
  } catch (error) {
    // a certificate or key that cannot be read: there is no connection to end
    fail(error as Error);
    onClose();
    return;
  }
  // MQTT.js passes on only errors with a code
  client.stream.on('error', fail);
  client.stream.once('secureConnect', onSecured);
  // between the socket and MQTT.js, whose parser takes 4 us a message and which writes every PUBACK by itself
  const [forward] = client.stream.listeners('data') as ((bytes: Buffer) => void)[];
  client.stream.off('data', forward).on('data', intakeOf(forward)).on('data', createLifeSigns(client));
}

interface Ended {
  readonly client: MqttClient;
  readonly outgoing: Outgoing;
  readonly closed: Promise<void>;
  readonly statusTopic: string | undefined;
}

async function end({ client, outgoing, closed, statusTopic }: Ended, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => client.stream?.destroy(), timeoutMs);
  await Promise.race([outgoing.drained(), closed]);
  if (statusTopic !== undefined && client.connected) {
    const said = client.publishAsync(statusTopic, 'offline', { qos: 1, retain: true });
    await Promise.race([said.catch(() => {}), closed]);
  }
  if (client.connected) client.end();
  else client.stream?.destroy();
  await closed;
  clearTimeout(timer);
}
