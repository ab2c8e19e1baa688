import { describe, expect, test } from 'vitest';
import { type BrokerOptions, BrokerOptionsError, resolveBroker } from '../../src/mqtt/broker-options.ts';

test.each([
  ['mqtt://broker', { scheme: 'mqtt', host: 'broker', port: 1883, address: 'broker:1883' }],
  ['mqtts://broker', { scheme: 'mqtts', port: 8883 }],
  ['ws://broker/mqtt?a=1', { scheme: 'ws', port: 80, path: '/mqtt?a=1' }],
  ['wss://broker:8084', { scheme: 'wss', port: 8084, path: '/' }],
  ['mqtt://[::1]:1884', { host: '::1', port: 1884, address: '[::1]:1884' }],
  ['mqtt://pi:p%40ss%3Aw%25@broker', { username: 'pi', password: 'p@ss:w%', address: 'broker:1883' }],
])('takes %s apart', (url, parts) => {
  expect(resolveBroker({ url })).toMatchObject(parts);
});

test('credentials beside the URL come before those in it', () => {
  const broker = resolveBroker({ url: 'mqtt://pi:old@broker', password: 'new' });
  expect(broker).toMatchObject({ username: 'pi', password: 'new' });
});

test('a client id of one’s own makes the session a kept one; a random one fits every broker', () => {
  expect(resolveBroker({ url: 'mqtt://b', clientId: 'mine' })).toMatchObject({
    clientId: 'mine',
    persistent: true,
  });
  const { clientId, persistent } = resolveBroker({ url: 'mqtt://b' });
  expect(persistent).toBe(false);
  expect(clientId).toMatch(/^[0-9a-z-]{23}$/);
  expect(resolveBroker({ url: 'mqtt://b' }).clientId).not.toBe(clientId);
});

test('asks for the host by its name, or for the name that is given, and never for an IP address', () => {
  expect(resolveBroker({ url: 'mqtts://broker' }).tls).toEqual({ servername: 'broker' });
  expect(resolveBroker({ url: 'mqtts://10.0.0.1', servername: 'broker' }).tls).toEqual({
    servername: 'broker',
  });
  expect(resolveBroker({ url: 'mqtts://10.0.0.1' }).tls).toEqual({});
  expect(resolveBroker({ url: 'mqtts://[::1]' }).tls).toEqual({});
  expect(resolveBroker({ url: 'mqtt://broker' }).tls).toEqual({});
});

describe('options that cannot work', () => {
  const pem = Buffer.from('');

  test.each<[options: BrokerOptions, message: string]>([
    [{ url: 'http://broker' }, 'found the broker URL "http://broker", expected SCHEME://HOST:PORT'],
    [{ url: 'broker:1883' }, 'found the broker URL "broker:1883"'],
    [{ url: 'mqtt://' }, 'found the broker URL "mqtt://"'],
    [{ url: '' }, 'found the broker URL ""'],
    [{ url: 'mqtt://broker', ca: pem }, 'mqtt://, which is not encrypted, expected mqtts://'],
    [{ url: 'ws://broker', servername: 'x' }, 'ws://, which is not encrypted, expected wss://'],
    [{ url: 'mqtts://broker', cert: pem }, 'found a client certificate without its key, expected both'],
    [{ url: 'mqtts://broker', key: pem }, 'found a client key without its certificate, expected both'],
    [{ url: 'mqtt://broker', password: 'x' }, 'found a password without a user name, expected both'],
    [{ url: 'mqtt://pi:100%@broker' }, 'found a lone % in the credentials'],
  ])('%j', (options, message) => {
    expect(() => resolveBroker(options)).toThrow(BrokerOptionsError);
    expect(() => resolveBroker(options)).toThrow(message);
  });

  test.each([
    'mqqt://pi:secret@broker',
    'pi:secret@broker',
    'mqtt://pi:sec/ret@broker:x',
    'mqtt://pi:secret@@broker:99999',
    'mqtt://pi:%secret@broker',
  ])('never name a password (%#)', (url) => {
    let message = 'no error';
    try {
      resolveBroker({ url });
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/^BrokerOptionsError: found .+$/);
    expect(message).not.toMatch(/sec/);
  });
});
