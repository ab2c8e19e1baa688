import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BrokerRefusedError } from '../../src/mqtt/broker-error.ts';
import { createSink } from '../../src/mqtt/sink.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { type Authority, type Certificate, createAuthority } from './certificates.ts';
import { makeLink, openInVain, openLink, send } from './links.ts';
import { describeWithMosquitto, startMosquitto } from './mosquitto.ts';
import { until } from './until.ts';

const acl = `
user service
topic read sensors/#
topic write cellstream/#
topic readwrite status
user sensor
topic write sensors/#
`;
const users = { service: 'p@ss/w%rd', sensor: 'other' };

describeWithMosquitto('a broker with TLS, client certificates, passwords and an access list', () => {
  let authority: Authority;
  let server: Certificate;
  let client: Certificate;

  beforeAll(() => {
    authority = createAuthority();
    server = authority.issue('server', 'DNS:localhost,IP:127.0.0.1');
    client = authority.issue('client', 'DNS:client');
  });

  describe.each(['5', '3.1.1'] as const)('MQTT %s', (protocol) => {
    const certified = () => ({ ca: authority.cert, cert: client.cert, key: client.key, protocol });
    const strict = () => startMosquitto({ tls: { authority, server, clients: true }, users, acl });
    const refusal = async (options: Parameters<typeof makeLink>[0]) => {
      const { link } = makeLink(options);
      const failure = await link.open({ timeoutMs: 10_000 }).catch((error: Error) => error);
      expect(failure).toBeInstanceOf(BrokerRefusedError);
      const line = String(failure);
      expect(line).toMatch(/^BrokerRefusedError: the broker at localhost:\d+: .+$/);
      expect(line).not.toMatch(/p@ss\/w%rd|wrong-secret/);
      return line.replace(/^.*localhost:\d+: /, '');
    };

    test('lets a client with all of them in, which reads and writes', async () => {
      const broker = await strict();
      const filters = [{ topic: 'sensors/#', qos: 1 as const }];
      const service = await openLink({
        url: broker.url,
        username: 'service',
        password: users.service,
        filters,
        statusTopic: 'status',
        ...certified(),
      });
      expect(service.link.protocol).toBe(protocol);
      const sensor = await openLink({
        url: broker.url,
        username: 'sensor',
        password: 'other',
        ...certified(),
      });
      await send(sensor.link, 'sensors/a', 'hello');
      await until(() => service.deliveries.length === 1);
      await send(service.link, 'cellstream/a', 'answer');
    });

    test('reads the credentials from the URL', async () => {
      const broker = await strict();
      const url = broker.url.replace('//', `//service:${encodeURIComponent(users.service)}@`);
      const { events } = await openLink({ url, ...certified() });
      expect(JSON.stringify(events)).not.toMatch(/service|w%rd|w%25rd/);
    });

    test('refuses a wrong password', async () => {
      const broker = await strict();
      const line = await refusal({
        url: broker.url,
        username: 'service',
        password: 'wrong-secret',
        ...certified(),
      });
      expect(line).toMatch(
        /^not authorized: a wrong user name or password, or an access list \(code (5|135)\)$/,
      );
    });

    test('refuses no password', async () => {
      const broker = await strict();
      expect(await refusal({ url: broker.url, ...certified() })).toMatch(/^not authorized: .+$/);
    });

    test('refuses a missing client certificate', async () => {
      const broker = await strict();
      const credentials = { username: 'service', password: users.service };
      const line = await refusal({ url: broker.url, ca: authority.cert, protocol, ...credentials });
      expect(line).toMatch(/^the broker wants a client certificate, or another one: .+$/);
    });

    test('refuses a client certificate of another authority', async () => {
      const broker = await strict();
      const { cert, key } = createAuthority().issue('stranger', 'DNS:stranger');
      const line = await refusal({ url: broker.url, ...certified(), cert, key });
      expect(line).toMatch(/^the client certificate is not accepted: .+$/);
    });

    test('is refused where its own authority is not known', async () => {
      const broker = await strict();
      const line = await refusal({ url: broker.url, ...certified(), ca: createAuthority().cert });
      expect(line).toMatch(/^the certificate does not verify: .+ \(.+\)$/);
      expect(await refusal({ url: broker.url, protocol })).toMatch(/^the certificate does not verify: .+$/);
    });

    test('is refused under a name that is not its own', async () => {
      const other = authority.issue('other', 'DNS:other.example,DNS:localhost.example');
      const broker = await startMosquitto({ tls: { authority, server: other } });
      const options = { url: broker.url, ca: authority.cert, protocol };
      const line = await refusal(options);
      expect(line).toMatch(
        /^the certificate does not verify: .*localhost.*other\.example.* \(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
      );
      expect(await refusal({ ...options, servername: 'third.example' })).toMatch(/third\.example.*ALTNAME/);
      const { link } = await openLink({ ...options, servername: 'other.example' });
      expect(link.connected).toBe(true);
    });

    test('asks whether a port speaks TLS that hangs up on it', async () => {
      const broker = await startMosquitto();
      const url = broker.url.replace('mqtt:', 'mqtts:');
      const failure = await openInVain(makeLink({ url, ca: authority.cert, protocol }));
      expect(String(failure)).toMatch(/: perhaps the port does not speak TLS$/);
    });

    test('asks for TLS where a port hangs up without it', async () => {
      const broker = await strict();
      const failure = await openInVain(makeLink({ url: broker.url.replace('mqtts:', 'mqtt:'), protocol }));
      expect(String(failure)).toMatch(/: perhaps the port wants TLS, mqtts:\/\/$/);
    });

    test('says that a certificate or a key is no PEM, or not of each other', async () => {
      const broker = await strict();
      const garbage = Buffer.from('garbage');
      expect(await refusal({ url: broker.url, ...certified(), key: garbage })).toMatch(
        /^a certificate or key is not PEM: /,
      );
      expect(await refusal({ url: broker.url, ...certified(), key: server.key })).toMatch(
        /do not belong together/,
      );
    });

    test('asks for the name of the broker (SNI)', async () => {
      const broker = await startMosquitto();
      const names: unknown[] = [];
      const front = createServer({ cert: server.cert, key: server.key }, (socket: TLSSocket) => {
        names.push(socket.servername);
        const back = connect(broker.port, '127.0.0.1');
        socket.pipe(back).pipe(socket);
        socket.on('close', () => back.destroy());
        socket.on('error', () => {});
      });
      front.listen(0, '127.0.0.1');
      await once(front, 'listening');
      onTestFinished(() => void front.close());
      const { port } = front.address() as AddressInfo;
      const options = { ca: authority.cert, protocol };
      for (const host of ['localhost', '127.0.0.1']) {
        const { link } = await openLink({ url: `mqtts://${host}:${port}`, ...options });
        await link.close();
      }
      expect(names).toEqual(['localhost', false]);
    });
  });

  test('a status topic that the access list forbids ends the first open (3.1.1 cannot say it)', async () => {
    const broker = await startMosquitto({ users, acl });
    const credentials = { username: 'service', password: users.service };
    const { link } = makeLink({ url: broker.url, ...credentials, statusTopic: 'forbidden' });
    await expect(link.open()).rejects.toThrow(`${link.address}: no publication on forbidden: Not authorized`);
  });

  test('a forecast that the access list forbids is counted as failed, with the reason (3.1.1 cannot say it)', async () => {
    const broker = await startMosquitto({ users, acl });
    const { link, events } = await openLink({
      url: broker.url,
      username: 'service',
      password: users.service,
    });
    const sink = createSink(link, { topics: parseTopicPattern('forbidden/{stream}'), qos: 1, retain: false });
    sink.publish([{ stream: 'a', payload: 'x' }]);
    await until(() => sink.failed === 1);
    expect(sink.failures).toEqual({ 'Not authorized': 1 });
    await until(() => link.reconnects >= 1);
    expect(events.map(({ message }) => message).join('\n')).not.toContain(users.service);
  });

  test('a password change while the service runs is tried again, and said once', async () => {
    const broker = await startMosquitto({ users });
    const { link, events } = await openLink({ url: broker.url, username: 'sensor', password: 'other' });
    await broker.stop('SIGTERM');
    const strict = await startMosquitto({
      users: { sensor: 'changed' },
      lines: [`listener ${broker.port} 127.0.0.1`],
    });
    await until(() => events.at(-1)?.kind === 'refused');
    const refused = events.length;
    await until(() => (strict.log.match(/not authori[sz]ed/gi)?.length ?? 0) >= 3);
    expect(events).toHaveLength(refused);
    expect(events.at(-1)?.message).toMatch(/not authorized: a wrong user name or password/);
    await strict.stop('SIGTERM');
    await broker.start();
    await until(() => link.connected);
    expect(events.at(-1)?.kind).toBe('back');
  });
});
